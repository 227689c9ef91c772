// A platform in a process of its own, so that the load does not keep it waiting: it knows every
// project, and the number at the end of a token is the project's quota of context, as in "planted-token.5000".
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { start_platform } from '../clients/fake_platform.mjs'
import { adopt } from '../clients/sandbox.mjs'

const path = fileURLToPath(import.meta.url)

// Returns { url, stop }.
export async function start_platform_process() {
    const child = fork(path, [], { execArgv: [] })
    const ended = adopt(child)
    const url = await Promise.race([
        new Promise(resolve => child.once('message', resolve)),
        ended.then(end => { throw new Error(`the platform ended: ${JSON.stringify(end)}`) })
    ])
    return {
        url,
        async stop() {
            child.kill('SIGKILL')
            await ended
        }
    }
}

if (process.argv[1] === path) {
    const quota_of = token => Number(/\.(\d+)$/.exec(token)?.[1] ?? 0)
    const { url } = await start_platform((project, token) => ({ project, quota: { context: quota_of(token) } }))
    process.on('disconnect', () => process.exit())
    process.send(url)
}
