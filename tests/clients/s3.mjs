// An S3 store of the test's own: Ceph, started by tests/s3/engine.py on the loopback address, with data
// that goes with it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { adopt, make_folder, remove_folder, stop_child } from './sandbox.mjs'

const engine = fileURLToPath(new URL('../s3/engine.py', import.meta.url))
const stop_patience_ms = 20000

// What test() and describe() take as `skip` where there is no Ceph.
export const s3_is_missing = existsSync('/usr/bin/radosgw') ? false : 'radosgw is not installed'

// Returns { driver, stop }: what a server's configuration file says under `driver`, for a bucket that is
// empty.
export async function start_s3() {
    const folder = make_folder('s3')
    const child = spawn('python3', [engine, 'run', '--dir', folder], { stdio: ['pipe', 'pipe', 'pipe'] })
    const ended = adopt(child)
    let log = ''
    child.stderr.setEncoding('utf8').on('data', text => { log += text })
    const stop = async () => {
        await stop_child(child, ended, stop_patience_ms)
        remove_folder(folder)
    }
    const endpoint = await Promise.race([
        new Promise(resolve => child.stdout.setEncoding('utf8').once('data', line => resolve(line.trim()))),
        ended.then(() => undefined)
    ])
    if (!endpoint) {
        await stop()
        throw new Error(`the S3 store did not start:\n${log}`)
    }
    const credentials = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' }
    return {
        driver: { type: 's3', options: { bucket: 'test', region: 'us-east-1', endpoint, forcePathStyle: true, credentials } },
        stop
    }
}
