// The checker itself: a toy server that does everything right passes, each fault of one is noticed.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ContextModel, rules_of } from '../clients/context_model.mjs'
import { Load } from './load.mjs'

const milliseconds = 300

// Answers as a context store does, from memory. `fault` is called with each write that is about to
// be done and says what to do instead, if anything: 'lose', 'refuse', 'exceed' or 'merge badly'.
class ToyServer {
    constructor(fault) {
        this.fault_ = fault
        this.projects_ = new Map()
        this.server_ = createServer((request, response) => this.handle_(request, response))
    }

    async start() {
        await new Promise(resolve => this.server_.listen(0, '127.0.0.1', resolve))
        this.url = `http://127.0.0.1:${this.server_.address().port}`
    }

    stop() {
        this.server_.closeAllConnections()
        return new Promise(resolve => this.server_.close(resolve))
    }

    async handle_(request, response) {
        const pieces = []
        for await (const piece of request) {
            pieces.push(piece)
        }
        const { pathname, searchParams } = new URL(request.url, this.url)
        const [, , , project, first, second] = pathname.split('/')
        const quota = Number(request.headers.authorization.split('.')[1])
        const answer = this.answer_(request.method, project, first, second, searchParams, Buffer.concat(pieces).toString(), quota)
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(answer.body)
    }

    answer_(method, project, first, second, search, body, quota) {
        const model = this.projects_.get(project) ?? new ContextModel(rules_of('ours'))
        this.projects_.set(project, model)
        if (method === 'GET') {
            return first === 'cache' ? model.page(1000) : model.get(first, search.getAll('key'))
        }
        const fault = this.fault_()
        if (fault === 'lose') {
            return { status: 200, body: '{}' }
        }
        const before = model.copy()
        if (fault === 'merge badly' && first === 'shared') {
            model.remove('shared') // as if the others' keys had not been there when it was read
        }
        const answer = method === 'DELETE' ? model.remove(first) : first === 'cache' ? model.cache(second, body) : model.set(first, body)
        const is_full = model.size() > quota && model.size() > before.size()
        if (answer.status === 200 && method === 'POST' && (fault === 'refuse' || (is_full && fault !== 'exceed'))) {
            this.projects_.set(project, before)
            return { status: 413, body: '{}' }
        }
        return answer
    }
}

describe('the checker of the load', () => {
    for (const [what, fault, writers, complaint] of [
        ['finds nothing wrong with a server that is right', () => undefined, 1, null],
        ['finds nothing wrong with one that is right for many writers', () => undefined, 4, null],
        ['notices a lost write', rarely('lose'), 1, /is stored, known is|got/],
        ['notices a lost update among many writers', rarely('merge badly'), 4, /is stored, known is|got/],
        ['notices a refusal without reason', rarely('refuse'), 1, /was refused/],
        ['notices a quota that is exceeded', () => 'exceed', 1, /was accepted/],
        ['notices a quota that many writers exceed', () => 'exceed', 4, /characters are stored/]
    ]) {
        test(what, async () => {
            const server = new ToyServer(fault)
            await server.start()
            try {
                const load = new Load({ urls: [server.url], projects: 6, writers, quota: 700 })
                load.start()
                await sleep(milliseconds)
                await load.finish()
                await load.verify(server.url)
                assert.ok(load.count > 100 && (load.refusals > 0 || fault() === 'exceed'), load.report())
                assert.equal(load.violations.some(text => complaint?.test(text)), complaint !== null, load.violations.join('\n'))
                assert.ok(complaint || load.violations.length === 0, load.violations.join('\n'))
            } finally {
                await server.stop()
            }
        })
    }
})

// A fault in every twentieth write.
function rarely(fault) {
    let writes = 0
    return () => ++writes % 20 === 0 ? fault : undefined
}
