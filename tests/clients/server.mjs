// Starts the server under test: $SERVER_COMMAND (words separated by spaces) or the binary $FLOWSTORE.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adopt, free_port, make_folder, remove_folder, stop_child } from './sandbox.mjs'

// A build with sanitizers on a busy machine starts slowly and has 20 s to finish its requests.
const start_patience_ms = 30000
const stop_patience_ms = 30000

function command() {
    if (process.env.SERVER_COMMAND) {
        return process.env.SERVER_COMMAND.split(' ').filter(word => word !== '')
    }
    return [process.env.FLOWSTORE ?? fileURLToPath(new URL('../../build/release/flowstore', import.meta.url))]
}

// A server with local files in a folder of its own, on a port that stays the same over restarts.
// `driver` and `context`, if given, are what the configuration file says under those names, `more` what else
// it says; `program` the words of another command than the environment's. Returns { url, pid, log, restart, kill, launch, stop }:
// stop and restart throw if the server does not end with code 0; kill leaves it no time and launch
// starts it again.
export async function start_server(platform_url, { driver, context, more, program = command() } = {}) {
    const home = make_folder('server')
    const port = await free_port()
    const url = `http://127.0.0.1:${port}`
    mkdirSync(path.join(home, 'etc'))
    mkdirSync(path.join(home, 'var'))
    // JSON is YAML.
    writeFileSync(path.join(home, 'etc', 'flowforge-storage.yml'), JSON.stringify({
        host: '127.0.0.1',
        port,
        base_url: platform_url,
        driver: driver ?? { type: 'localfs', options: { root: 'var/root' } },
        logging: { level: 'error', http: 'error' },
        context,
        ...more
    }, null, 2))

    let running = await launch(program, home, url)
    return {
        url,
        get pid() { return running.child.pid },
        get log() { return running.log },
        async restart() {
            await finish(running)
            running = await launch(program, home, url)
        },
        async kill() {
            running.child.kill('SIGKILL')
            await running.ended
        },
        async launch() {
            running = await launch(program, home, url)
        },
        async stop() {
            try {
                await finish(running)
            } finally {
                remove_folder(home)
            }
        }
    }
}

async function launch([program, ...args], home, url) {
    const { PORT, NODE_ENV, FF_FS_TEST_CONFIG, ...env } = process.env
    const child = spawn(program, args, {
        cwd: home,
        env: { ...env, FLOWFORGE_HOME: home },
        stdio: ['ignore', 'pipe', 'pipe']
    })
    const server = { child, ended: adopt(child), log: '' }
    // Where script/test looks at the output of all servers.
    const kept = process.env.FLOWSTORE_LOGS && path.join(process.env.FLOWSTORE_LOGS, `${randomUUID()}.log`)
    for (const output of [child.stdout, child.stderr]) {
        output.setEncoding('utf8').on('data', text => {
            server.log += text
            if (kept) {
                appendFileSync(kept, text)
            }
        })
    }
    let end = null
    server.ended.then(value => { end = value })
    const deadline = Date.now() + start_patience_ms
    while (!(await is_healthy(url))) {
        if (end || Date.now() > deadline) {
            child.kill('SIGKILL')
            throw new Error(`${program} did not start (${JSON.stringify(end)}):\n${server.log}`)
        }
        await sleep(20)
    }
    return server
}

async function is_healthy(url) {
    try {
        const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) })
        await response.arrayBuffer()
        return response.status === 200
    } catch {
        return false
    }
}

async function finish(server) {
    const { code, signal } = await stop_child(server.child, server.ended, stop_patience_ms)
    if (code !== 0) {
        throw new Error(`the server ended with code ${code}, signal ${signal}:\n${server.log}`)
    }
}
