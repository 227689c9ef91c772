// A flowstore with a console, a browser, and what both have been told: nothing of it may leave the house.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { chromium } from 'playwright-core'
import { start_platform } from '../clients/fake_platform.mjs'
import { stop_all } from '../clients/sandbox.mjs'
import { start_server } from '../clients/server.mjs'

export const team = 'team'
export const project = 'garden'
export const token = 'planted-token-console'
export const service_token = 'planted-service-token'
export const quota = { file: 2_000_000, context: 5000 }

const patience_ms = 20_000  // a build with sanitizers on a busy machine

// Starts all of it. `with_context` and `with_metrics` are what the server has. Returns { url, api, open, enter, stop }.
async function start_house({ with_context = true, with_metrics = true } = {}) {
    const platform = await start_platform([{ project, token, quota }])
    const server = await start_server(platform.url, {
        context: with_context ? { type: 'db', options: { type: 'sqlite', storage: 'context.db' } } : undefined,
        more: {
            console: { enabled: true },
            auth: { serviceTokens: [service_token] },
            telemetry: { backend: { prometheus: { enabled: with_metrics } } }
        }
    })
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
    })
    const { url } = server
    return {
        url,
        api: new Api(server.url),
        server,
        open: options => Visit.begin(browser, url, options),
        enter: async view => (await Visit.begin(browser, url)).enter(view),
        stop: () => stop_all({ stop: () => browser.close() }, server, platform)
    }
}

// The same for a suite: it is there while the suite runs, and empty before each of its tests.
export function house_of_suite() {
    const house = {}
    before(async () => Object.assign(house, await start_house()))
    after(() => house.stop?.())
    beforeEach(() => house.api.clear())
    return house
}

// A test in a house of its own, made with these options: somebody has signed in and looks at a view.
export function test_of_house(name, options, view, look) {
    test(name, async () => {
        const house = await start_house(options)
        try {
            const visit = await house.enter(view)
            await look(visit.page)
            await visit.end()
        } finally {
            await house.stop()
        }
    })
}

// The API without the console, to look at what it has done.
class Api {
    constructor(url) {
        this.url = url
    }

    async ask(method, target, body, type = 'application/octet-stream') {
        return fetch(`${this.url}${target}`, { method, body, headers: { authorization: `Bearer ${token}`, 'content-type': type } })
    }

    // A file's path is a list of names.
    #file(names) {
        return `/v1/files/${team}/${project}/${names.map(encodeURIComponent).join('/')}`
    }

    async write(names, content) {
        assert.equal((await this.ask('POST', this.#file(names), content)).status, 200)
    }

    // The bytes; nothing where there is no such file.
    async read(names) {
        const answer = await this.ask('GET', this.#file(names))
        return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined
    }

    async names_in(names = []) {
        const answer = await this.ask('GET', `${this.#file(names)}${names.length > 0 ? '/' : ''}?list&limit=1000`)
        return answer.status === 200 ? (await answer.json()).files.map(file => file.name) : []
    }

    async clear() {
        for (const name of await this.names_in()) {
            await this.ask('DELETE', `${this.#file([name])}?recursive`)
            await this.ask('DELETE', this.#file([name]))
        }
        for (const scope of Object.keys(await this.scopes())) {
            await this.ask('DELETE', `/v1/context/${project}/${encodeURIComponent(scope)}`)
        }
    }

    // All values of a scope.
    async put_scope(scope, values) {
        const answer = await this.ask('POST', `/v1/context/${project}/cache/${encodeURIComponent(scope)}`, JSON.stringify(values), 'application/json')
        assert.equal(answer.status, 200, await answer.text())
    }

    async scopes() {
        const answer = await this.ask('GET', `/v1/context/${project}/cache?limit=1000`)
        return answer.status === 200 ? Object.fromEntries((await answer.json()).data.map(({ scope, values }) => [scope, values])) : {}
    }
}

// One look at the console, in a browser that knows nothing of others.
export class Visit {
    static async begin(browser, url, options) {
        const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, acceptDownloads: true, ...options })
        context.setDefaultTimeout(patience_ms)
        const visit = new Visit(url, context, await context.newPage())
        await visit.page.goto(`${url}/console`)
        return visit
    }

    constructor(url, context, page) {
        this.url = url
        this.context = context
        this.page = page
        this.complaints = []
        page.on('request', request => {
            if (!request.url().startsWith(`${url}/`) && !request.url().startsWith(`blob:${url}/`)) {
                this.complaints.push(`asked ${request.url()}`)
            }
            if (request.url().includes(token)) {
                this.complaints.push(`the token is in ${request.url()}`)
            }
        })
        page.on('console', message => {
            // An answer such as 404 is no complaint; the tests look for those themselves.
            if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) {
                this.complaints.push(message.text())
            }
        })
        page.on('pageerror', error => this.complaints.push(String(error)))
        page.on('dialog', async dialog => {
            this.complaints.push(`a script said ${dialog.message()}`)
            await dialog.dismiss()
        })
    }

    async sign_in({ with_team = team, with_project = project, with_token = token, stay = false } = {}) {
        await this.page.getByLabel('Team id').fill(with_team)
        await this.page.getByLabel('Project id').fill(with_project)
        await this.page.getByLabel('Token').fill(with_token)
        await this.page.getByLabel('Stay signed in').setChecked(stay)
        await this.page.getByRole('button', { name: 'Sign in' }).click()
    }

    // Signs in and waits for a view.
    async enter(view = 'Files') {
        await this.sign_in()
        await this.page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
        await this.go(view)
        return this
    }

    async go(view) {
        await this.page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click()
        await this.page.getByRole('heading', { level: 1, name: view }).waitFor()
        await this.page.locator('[aria-busy]').waitFor({ state: 'detached' })
    }

    // For people to look at, where the environment says that they want to.
    async picture(name) {
        if (process.env.CONSOLE_SCREENSHOTS) {
            mkdirSync(process.env.CONSOLE_SCREENSHOTS, { recursive: true })
            await this.page.screenshot({ path: path.join(process.env.CONSOLE_SCREENSHOTS, `${name}.png`) })
        }
    }

    // Ends it; whatever the browser or the page's policy complained about is an error.
    async end() {
        await this.context.close()
        assert.deepEqual(this.complaints, [])
    }
}
