// docs/quickstart.md, word for word: its settings and its flow in a real Node-RED before what script/server runs.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adopt, free_port, make_folder, stop_all, stop_child } from './sandbox.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = fileURLToPath(new URL('node_modules', import.meta.url))
const patience_ms = 120000 // script/server may have to build
const stop_patience_ms = 30000

const page = readFileSync(path.join(root, 'docs/quickstart.md'), 'utf8')
function block(language) {
    const found = page.match(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\``, 'm'))
    assert.ok(found, `the page has no block of ${language}`)
    return found[1]
}

// A program whose output is kept; until(text) resolves when it has written that.
class Program {
    constructor(words, options) {
        this.child_ = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options })
        this.ended_ = adopt(this.child_)
        this.output = ''
        for (const output of [this.child_.stdout, this.child_.stderr]) {
            output.setEncoding('utf8').on('data', text => { this.output += text })
        }
    }

    async until(text) {
        for (const deadline = Date.now() + patience_ms; !this.output.includes(text); await sleep(50)) {
            assert.ok(this.child_.exitCode === null && Date.now() < deadline, `${text} is not in the output:\n${this.output}`)
        }
    }

    async stop() {
        await stop_child(this.child_, this.ended_, stop_patience_ms)
    }
}

const home = make_folder('quickstart')
let server
let node_red
let url
let token

before(async () => {
    const port = await free_port()
    url = `http://127.0.0.1:${port}`
    server = new Program([path.join(root, 'script/server')],
        { env: { ...process.env, PORT: String(port), FLOWSTORE_HOME: path.join(home, 'dev') } })
    await server.until('Ctrl-C stops it')
    token = readFileSync(path.join(home, 'dev/token'), 'utf8').trim()

    const user = path.join(home, '.node-red')
    mkdirSync(path.join(user, 'node_modules/@flowfuse'), { recursive: true })
    mkdirSync(path.join(home, '.flowfuse'))
    symlinkSync(packages, path.join(home, '.flowfuse/node_modules'))
    symlinkSync(path.join(packages, '@flowfuse/nr-file-nodes'), path.join(user, 'node_modules/@flowfuse/nr-file-nodes'))
    writeFileSync(path.join(user, 'flows.json'), block('json'))
    // Nothing may leave the machine.
    writeFileSync(path.join(user, 'settings.js'), block('js').replace('http://127.0.0.1:3001', url).replace('TOKEN', token) +
        "Object.assign(module.exports, { uiHost: '127.0.0.1', telemetry: { enabled: false }, externalModules: { palette: { allowInstall: false } } })\n")
})

after(() => stop_all(node_red, server))

async function start_node_red() {
    node_red = new Program([process.execPath, path.join(packages, 'node-red/red.js'), '-p', String(await free_port())],
        { cwd: home, env: { ...process.env, HOME: home } })
}

async function stored(route) {
    const response = await fetch(`${url}/v1/${route}`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(response.status, 200)
    return response
}

test('the flow of the quick start writes a file and counts on after a restart', async () => {
    for (const count of [1, 2]) {
        await start_node_red()
        await node_red.until(`start ${count}`)
        await node_red.stop()
        assert.doesNotMatch(node_red.output, /Missing types|\[error\]/)
    }
    assert.equal(await (await stored('files/team/dev/starts.txt')).text(), 'start 1\nstart 2\n')
    const { data } = await (await stored('context/dev/cache')).json()
    assert.deepEqual(data, [{ scope: 'global', values: { count: 2 } }])
})

test('the curl lines that script/server prints work', async () => {
    const lines = server.output.split('\n').filter(line => line.startsWith('  curl ')).join(' && ')
    const shell = new Program(['sh', '-c', `${lines} && echo and that is all`], {})
    await shell.until('and that is all')
    await shell.stop()
    assert.match(shell.output, /hello.*\[\{"key":"count","value":1\}\]/s)
})
