// A Node-RED of its own process, as installed from npm, with the flows of a test.
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

// Starts Node-RED as the instance `project` of `team`, with files at server_url. `flows` is the content
// of flows.json, `context` what the persistent context store is set to beside the address and the
// token, such as { cache: false }; without it there is none. Returns a NodeRed.
export async function start_node_red({ server_url, team, project, token, flows = make_flows(), context }) {
    const folder = make_folder('node-red')
    writeFileSync(path.join(folder, 'flows.json'), JSON.stringify(flows))
    const flowforge = { teamID: team, projectID: project, fileStore: { url: server_url, token } }
    const { FF_FS_TEST_CONFIG, ...env } = process.env
    env.TEST_FLOWFORGE = JSON.stringify(flowforge)
    if (context) {
        env.TEST_CONTEXT = JSON.stringify({ projectID: project, url: server_url, token, ...context })
    }
    const node_red = new NodeRed(folder, env)
    await node_red.launch_()
    return node_red
}

class NodeRed {
    constructor(folder, env) {
        this.folder_ = folder
        this.env_ = env
    }

    // Everything that Node-RED wrote since it was started.
    get log() {
        return this.log_
    }

    async launch_() {
        this.child_ = fork(path.join(here, 'node_modules', 'node-red', 'red.js'),
            ['--settings', path.join(here, 'settings.cjs'), '--userDir', this.folder_], {
                cwd: this.folder_,
                env: this.env_,
                execArgv: [],
                serialization: 'advanced', // buffers stay buffers
                stdio: ['ignore', 'pipe', 'pipe', 'ipc']
            })
        this.ended_ = adopt(this.child_)
        this.log_ = ''
        for (const output of [this.child_.stdout, this.child_.stderr]) {
            output.setEncoding('utf8').on('data', text => { this.log_ += text })
        }
        await this.started_()
    }

    // Resolves when the flows run; rejects if Node-RED ends or takes too long.
    async started_() {
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
            throw new Error(`a type of node was not loaded:\n${this.log_}`)
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

    // Replaces the flows, as a full deploy does, and resolves when the new ones run.
    async deploy(flows) {
        let listener
        try {
            const { error } = await this.until_('deploy', operation_patience_ms, finish => {
                listener = message => message.event === 'deployed' && finish(message)
                this.child_.on('message', listener)
                this.child_.send({ flows })
            })
            if (error) {
                throw new Error(`deploy: ${error}:\n${this.log_}`)
            }
        } finally {
            this.child_.off('message', listener)
        }
    }

    // Ends Node-RED and starts it again with the flows it had.
    async restart() {
        await this.end_()
        await this.launch_()
    }

    async stop() {
        try {
            await this.end_()
        } finally {
            remove_folder(this.folder_)
        }
    }

    async end_() {
        const { code, signal } = await stop_child(this.child_, this.ended_, stop_patience_ms)
        if (signal === 'SIGKILL') {
            throw new Error(`Node-RED did not stop (code ${code}):\n${this.log_}`)
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
