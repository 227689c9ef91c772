// A Node-RED of its own process, as installed from npm, with the flows of flows.mjs.
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { make_flows } from './flows.mjs'
import { adopt, make_folder, remove_folder, stop_child } from './sandbox.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
// The file nodes give up after 3 s, so an operation that takes this long hangs.
const operation_patience_ms = 15000
const start_patience_ms = 60000
const stop_patience_ms = 15000

// Starts Node-RED as the instance `project` of `team`, with files at server_url. Returns { run, stop }.
export async function start_node_red({ server_url, team, project, token }) {
    const folder = make_folder('node-red')
    writeFileSync(path.join(folder, 'flows.json'), JSON.stringify(make_flows()))
    const flowforge = { teamID: team, projectID: project, fileStore: { url: server_url, token } }
    const { FF_FS_TEST_CONFIG, ...env } = process.env
    const child = fork(path.join(here, 'node_modules', 'node-red', 'red.js'),
        ['--settings', path.join(here, 'settings.cjs'), '--userDir', folder], {
            cwd: folder,
            env: { ...env, TEST_FLOWFORGE: JSON.stringify(flowforge) },
            execArgv: [],
            serialization: 'advanced', // buffers stay buffers
            stdio: ['ignore', 'pipe', 'pipe', 'ipc']
        })
    const node_red = new NodeRed(child, adopt(child), folder)
    await node_red.started()
    return node_red
}

class NodeRed {
    constructor(child, ended, folder) {
        this.child_ = child
        this.ended_ = ended
        this.folder_ = folder
        this.log_ = ''
        for (const output of [child.stdout, child.stderr]) {
            output.setEncoding('utf8').on('data', text => { this.log_ += text })
        }
    }

    // Resolves when the flows run; rejects if Node-RED ends or takes too long.
    async started() {
        await this.until_('start', start_patience_ms, finish => {
            const look = () => {
                if (this.log_.includes('Started flows')) {
                    this.child_.stdout.off('data', look)
                    finish()
                }
            }
            this.child_.stdout.on('data', look)
        })
        if (this.log_.includes('Waiting for missing types')) {
            throw new Error(`the file nodes were not loaded:\n${this.log_}`)
        }
    }

    // Sends the messages at once through the file node called `operation` and waits until it is done
    // with all of them. Returns { sent, caught }: the messages that the node sent and those that the
    // catch node got, in order. One run at a time.
    async run(operation, ...messages) {
        const result = { sent: [], caught: [] }
        let open = messages.length
        let listener
        try {
            await this.until_(operation, operation_patience_ms, finish => {
                listener = ({ event, msg }) => {
                    if (event !== 'done') {
                        result[event].push(msg)
                    } else if (--open === 0) {
                        finish()
                    }
                }
                this.child_.on('message', listener)
                for (const msg of messages) {
                    this.child_.send({ operation, msg })
                }
            })
        } finally {
            this.child_.off('message', listener)
        }
        return result
    }

    async stop() {
        try {
            const { code, signal } = await stop_child(this.child_, this.ended_, stop_patience_ms)
            if (signal === 'SIGKILL') {
                throw new Error(`Node-RED did not stop (code ${code}):\n${this.log_}`)
            }
        } finally {
            remove_folder(this.folder_)
        }
    }

    // Runs start(finish) and resolves when it calls finish.
    until_(what, patience_ms, start) {
        let timer
        const failed = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`${what}: not done in ${patience_ms} ms:\n${this.log_}`)), patience_ms)
            this.ended_.then(end => reject(new Error(`${what}: Node-RED ended (${JSON.stringify(end)}):\n${this.log_}`)))
        })
        return Promise.race([new Promise(start), failed]).finally(() => clearTimeout(timer))
    }
}
