"""nginx as a file server: static files and DAV PUT, nothing else turned on."""
import os
import pathlib
import shutil
import tempfile

from machine import SERVER_CORES
from peers import Server, free_port, wait_for

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx"


def start_nginx(stage, folder):
    """With its files below `folder`."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="nginx-", dir=folder))
    (root / "www/dev").mkdir(parents=True)
    root.chmod(0o755)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    (root / "nginx.conf").write_text(f"""
daemon off; worker_processes {SERVER_CORES}; pid {root}/pid; error_log {root}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path {root}/body; default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port} reuseport backlog=4096; root {root}/www; location / {{ dav_methods PUT; create_full_put_path on; }}
    location = /health {{ return 200 '{{"statusCode":200,"status":"ok"}}'; }} }}
}}
""")
    server = stage.keep(Server("nginx", [NGINX, "-p", root, "-c", root / "nginx.conf"], port, "/dev", log=stage.log, method="PUT"))
    wait_for(f"http://127.0.0.1:{port}/health")
    return server
