// Many projects that write and read at once, and a checker that knows every acknowledged write.
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, Disconnected } from '../clients/connection.mjs'
import { Random } from '../clients/random.mjs'
import { Figures } from './figures.mjs'
import { KnownValue } from './known.mjs'

const shared_scope = 'shared'
const most_violations = 20
const steps_with_a_server = 50

// Options: `urls` of the servers, how many `projects` and `writers` of each, `quota` in characters
// of every second project (the others' is out of reach), `exact_quota`: whether refusals are to the character,
// `tolerates`: whether servers or databases fail meanwhile; `seed`.
export class Load {
    constructor({ urls, projects, writers = 1, quota = 1500, exact_quota = true, tolerates = false, seed = 1 }) {
        this.urls_ = urls
        this.tolerates_ = tolerates
        this.exact_quota_ = exact_quota
        this.figures_ = new Figures()
        this.failures_ = new Map() // what could not be done meanwhile: how often
        this.violations = []
        this.refusals = 0 // of writes past a quota
        this.projects_ = Array.from({ length: projects }, (_, i) =>
            new Project(`load-${seed}-${i}`, i % 2 === 0 ? quota : 10_000_000, writers))
        this.writers_ = this.projects_.flatMap((project, i) => Array.from({ length: writers }, (_, w) =>
            new Writer(this, project, w, new Random(seed * 100_003 + i * 101 + w), i + w)))
        this.stopped_ = false
    }

    start() {
        this.started_ = performance.now()
        this.done_ = Promise.all(this.writers_.map(writer => writer.run()))
    }

    // How many requests were answered so far.
    get count() {
        return this.figures_.count
    }

    // Ends the load and waits for what is under way.
    async finish() {
        this.stopped_ = true
        await this.done_
        this.seconds_ = (performance.now() - this.started_) / 1000
    }

    // Reads everything from one of the servers and compares. Returns the number of values read.
    async verify(url) {
        const connection = new Connection(url)
        let values = 0
        for (const project of this.projects_) {
            const answer = await connection.request('GET', `/v1/context/${project.name}/cache?limit=1000`, project.token)
            if (answer.status !== 200) {
                this.violate(`${project.name}: ${answer.status} ${answer.body} at the end`)
                continue
            }
            values += project.look_at_page(this, answer.body, () => true, true)
        }
        connection.close()
        return values
    }

    report() {
        const failures = [...this.failures_].map(([what, count]) => `${count} x ${what}`).join(', ')
        return `${this.figures_.report(this.seconds_)}; past a quota: ${this.refusals}${failures ? `; failed meanwhile: ${failures}` : ''}`
    }

    violate(text) {
        if (this.violations.length < most_violations) {
            this.violations.push(text)
        }
    }
}

// What is known of the context of one project.
class Project {
    constructor(name, quota, writers) {
        this.name = name
        this.quota = quota
        this.token = `planted-token-${name}.${quota}`
        this.writers = writers
        this.known = Array.from({ length: writers }, () => ({ key: new KnownValue(), scope: new KnownValue() }))
    }

    // Compares the rows of a page with what is known of the writers that `applies` is true for: of
    // these nothing is under way. Returns how many values there are.
    look_at_page(load, body, applies, is_final) {
        const page = JSON.parse(body)
        const rows = new Map(page.data.map(({ scope, values }) => [scope, values]))
        const size = page.data.reduce((sum, { values }) => sum + JSON.stringify(values).length, 0)
        if (load.exact_quota_ && size > this.quota) {
            load.violate(`${this.name}: ${size} characters are stored, ${this.quota} allowed`)
        }
        let count = 0
        for (const [w, { key, scope }] of this.known.entries()) {
            const whole = rows.get(`own${w}`)
            for (const [known, value] of [[key, rows.get(shared_scope)?.[`k${w}`]], [scope, whole && JSON.stringify(whole)]]) {
                count += value === undefined ? 0 : 1
                if (applies(w) && !known.allows(value)) {
                    load.violate(`${this.name}, writer ${w}: ${String(value).slice(0, 40)} is stored, known is ${known}`)
                } else if (is_final) {
                    known.settle(value)
                }
            }
        }
        if (rows.size > this.writers + 1 || (rows.size !== page.count && (is_final || this.writers === 1))) {
            load.violate(`${this.name}: ${page.count} rows counted, ${rows.size} given`)
        }
        return count
    }

    // The characters stored if the values of the only writer are these.
    size_with(key, scope) {
        return (key === undefined ? 0 : JSON.stringify({ k0: key }).length) + (scope?.length ?? 0)
    }

    get is_certain() {
        return this.writers === 1 && this.known[0].key.is_certain && this.known[0].scope.is_certain
    }
}

// Writes one key of a scope that all writers of a project share, and a scope of its own, one request
// after the other, each value another one.
class Writer {
    constructor(load, project, number, random, turn) {
        this.load_ = load
        this.project_ = project
        this.number_ = number
        this.known_ = project.known[number]
        this.random_ = random
        this.turn_ = turn // which server
        this.next_ = 0
    }

    async run() {
        while (!this.load_.stopped_) {
            const urls = this.load_.urls_
            const connection = new Connection(urls[this.turn_ % urls.length])
            try {
                // After a while with another server: what one of them acknowledged, all know.
                for (let i = 0; i < steps_with_a_server && !this.load_.stopped_; i++) {
                    await this.step_(connection)
                }
                this.turn_++
            } catch (error) {
                if (!(error instanceof Disconnected)) {
                    this.load_.violate(error.stack)
                    return
                }
                this.fail_('connection', error.message)
                this.turn_++
                await sleep(20)
            } finally {
                connection.close()
            }
        }
    }

    step_(connection) {
        return this.random_.weighted([
            [45, () => this.set_key_(connection, this.value_())],
            [5, () => this.set_key_(connection, undefined)],
            [22, () => this.write_scope_(connection, JSON.stringify({ value: this.value_(), number: this.next_ }))],
            [3, () => this.remove_scope_(connection)],
            [15, () => this.get_key_(connection)],
            [10, () => this.read_page_(connection)]
        ])
    }

    // Of 10 to 1600 characters, mostly few.
    value_() {
        const length = this.random_.chance(0.8) ? this.random_.below(200) : this.random_.below(1600)
        return `${++this.next_} `.padEnd(length, 'x')
    }

    async set_key_(connection, value) {
        const body = JSON.stringify([{ key: `k${this.number_}`, value }])
        await this.write_(connection, 'set', 'POST', shared_scope, body, this.known_.key, value)
    }

    async write_scope_(connection, text) {
        await this.write_(connection, 'cache write', 'POST', `cache/own${this.number_}`, text, this.known_.scope, text)
    }

    async remove_scope_(connection) {
        await this.write_(connection, 'delete', 'DELETE', `own${this.number_}`, undefined, this.known_.scope, undefined)
    }

    async write_(connection, kind, method, path, body, known, value) {
        const { project_: project, load_: load } = this
        const before = project.is_certain ? project.size_with(...this.certain_()) : undefined
        let answer
        try {
            answer = await this.ask_(connection, kind, method, path, body)
        } catch (error) {
            known.may_be(value)
            throw error
        }
        if (answer.status === 200) {
            known.acknowledge(value)
            const after = before === undefined ? undefined : project.size_with(...this.certain_())
            if (load.exact_quota_ && after > project.quota && after > before) {
                load.violate(`${project.name}: a write to ${after} characters was accepted, ${project.quota} allowed`)
            }
        } else if (answer.status === 413 && value !== undefined) {
            load.refusals++
            const after = before === undefined ? undefined : this.size_if_(known, value)
            if (load.exact_quota_ && after !== undefined && (after <= project.quota || after <= before)) {
                load.violate(`${project.name}: a write to ${after} characters was refused, ${project.quota} allowed, ${before} before`)
            }
        } else {
            known.may_be(value)
            await this.failed_(kind, answer)
        }
    }

    certain_() {
        return [this.known_.key.acknowledged, this.known_.scope.acknowledged]
    }

    size_if_(known, value) {
        const [key, scope] = this.certain_()
        return known === this.known_.key ? this.project_.size_with(value, scope) : this.project_.size_with(key, value)
    }

    async get_key_(connection) {
        const answer = await this.ask_(connection, 'get', 'GET', `${shared_scope}?key=k${this.number_}`)
        if (answer.status !== 200) {
            await this.failed_('get', answer)
            return
        }
        const value = JSON.parse(answer.body)[0]?.value
        if (!this.known_.key.allows(value)) {
            this.load_.violate(`${this.project_.name}, writer ${this.number_}: got ${String(value).slice(0, 40)}, known is ${this.known_.key}`)
        }
    }

    async read_page_(connection) {
        const answer = await this.ask_(connection, 'page', 'GET', 'cache?limit=20')
        if (answer.status !== 200) {
            await this.failed_('page', answer)
            return
        }
        this.project_.look_at_page(this.load_, answer.body, writer => writer === this.number_, false)
    }

    async ask_(connection, kind, method, path, body) {
        const started = performance.now()
        const answer = await connection.request(method, `/v1/context/${this.project_.name}/${path}`, this.project_.token, body)
        this.load_.figures_.add(kind, performance.now() - started)
        return answer
    }

    // An answer that nobody likes: allowed while something is broken, if it says when to come back.
    async failed_(kind, { status, headers, body }) {
        if (status === 503 && Number(headers['retry-after']) > 0) {
            this.fail_('503', '503')
            await sleep(50)
        } else {
            this.load_.violate(`${this.project_.name}: ${kind} answered ${status} ${body}`)
        }
    }

    fail_(what, text) {
        this.load_.failures_.set(what, (this.load_.failures_.get(what) ?? 0) + 1)
        if (!this.load_.tolerates_) {
            this.load_.violate(`${this.project_.name}: ${text}`)
        }
    }
}
