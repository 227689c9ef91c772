// Signing in, what is kept of it, and what the page is allowed to do.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { house_of_suite, project, service_token, team, token } from './house.mjs'

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

describe('signing in', () => {
    const house = house_of_suite()

    test('is a page with a strict policy, and so is every part of it', async () => {
        const visit = await house.open()
        const loaded = await visit.page.evaluate(() => performance.getEntriesByType('resource').map(entry => entry.name))
        assert.ok(loaded.length > 10, loaded.join())
        for (const address of [`${house.url}/console`, ...loaded]) {
            const answer = await fetch(address)
            assert.equal(answer.status, 200, address)
            assert.equal(answer.headers.get('content-security-policy'), policy, address)
            assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
            assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
            assert.match(answer.headers.get('etag'), /^"[0-9a-f]{32}"$/)
            const again = await fetch(address, { headers: { 'if-none-match': answer.headers.get('etag') } })
            assert.equal(again.status, 304)
        }
        await visit.end()
    })

    // What the tests rely on when they say that nothing was complained about.
    test('is a page whose policy works', async () => {
        const visit = await house.open()
        const done = await visit.page.evaluate(async () => {
            const script = document.createElement('script')
            script.textContent = 'window.was_run = true'
            document.body.append(script)
            document.body.setAttribute('onclick', 'window.was_run = true')
            document.body.click()
            const elsewhere = await fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused')
            return [window.was_run, elsewhere]
        })
        assert.deepEqual(done, [undefined, 'refused'])
        assert.ok(visit.complaints.some(text => text.includes('Content Security Policy')), visit.complaints.join())
        await visit.context.close()
    })

    test('fails in the words of the server, and then works', async () => {
        const visit = await house.open()
        const { page } = visit
        await visit.sign_in({ with_token: 'wrong' })
        await page.getByRole('alert').getByText('unauthorized').waitFor()
        assert.equal(await page.evaluate(() => document.activeElement.id), 'token')
        await visit.sign_in({ with_project: 'other' })
        await page.getByRole('alert').getByText('unauthorized').waitFor()
        await visit.sign_in({ with_project: 'a/b' })
        await page.getByRole('alert').getByText('Invalid Path').waitFor()
        await visit.sign_in({ with_token: 'tökén' })
        await page.getByRole('alert').getByText('A token consists of ASCII characters').waitFor()
        await visit.sign_in()
        await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
        assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1')
        await page.getByText(`${team} / ${project}`).waitFor()
        await visit.end()
    })

    const kept_in = page => page.evaluate(async () => ({
        local: localStorage.length, session: JSON.stringify({ ...sessionStorage }), cookies: document.cookie, address: location.href,
        databases: (await indexedDB.databases()).length, page: document.documentElement.outerHTML
    }))

    test('keeps the token in memory only', async () => {
        const visit = await house.enter()
        assert.ok(!JSON.stringify(await kept_in(visit.page)).includes(token))
        assert.deepEqual(await visit.context.cookies(), [])
        await visit.page.reload()
        await visit.page.getByRole('heading', { name: 'Sign in' }).waitFor()
        await visit.end()
    })

    test('keeps it until the tab is closed where that is wanted', async () => {
        const visit = await house.open()
        const { page } = visit
        await visit.sign_in({ stay: true })
        await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
        const { session, ...others } = await kept_in(page)
        assert.ok(session.includes(token))
        assert.ok(!JSON.stringify(others).includes(token))
        await page.reload()
        await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.getByRole('heading', { name: 'Sign in' }).waitFor()
        assert.equal((await kept_in(page)).session, '{}')
        await page.reload()
        await page.getByRole('heading', { name: 'Sign in' }).waitFor()
        await visit.end()
    })

    test('shows a service token what the team uses', async () => {
        await house.api.write(['a'], 'x'.repeat(1234))
        const visit = await house.open()
        await visit.sign_in({ with_project: '', with_token: service_token })
        await visit.page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor()
        await visit.page.getByText('1.2 kB').waitFor()
        assert.deepEqual(await visit.page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents(), ['Usage'])
        await visit.end()
    })

    test('says that the server is gone when it is', async () => {
        const visit = await house.open()
        await visit.page.route('**/v1/**', route => route.abort())
        await visit.sign_in()
        await visit.page.getByRole('alert').getByText('The server cannot be reached.').waitFor()
        await visit.end()
    })

    test('and everything after it works by keyboard alone', async () => {
        await house.api.write(['old.txt'], 'x')
        await house.api.put_scope('global', { pump: { runs: 1 }, other: true })
        const visit = await house.open()
        const { page } = visit
        const press = async (...keys) => {
            for (const key of keys) {
                await page.keyboard.press(key)
            }
        }
        const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)
        const tab_to = async name => {
            for (let step = 0; step < 40 && await focused() !== name; ++step) {
                await press('Tab')
            }
            assert.equal(await focused(), name)
        }
        await page.keyboard.type(team)
        await press('Tab')
        await page.keyboard.type(project)
        await press('Tab')
        await page.keyboard.type(token)
        await press('Enter')
        await page.getByText('old.txt').waitFor()

        await tab_to('Delete old.txt')
        await press('Enter')
        await page.getByRole('dialog').waitFor()
        assert.equal(await focused(), 'Cancel')
        await press('Escape')
        assert.equal(await focused(), 'Delete old.txt')
        await press('Enter', 'Tab', 'Enter')
        await page.getByText('Nothing is here yet.').waitFor()
        assert.equal(await focused(), 'Files')

        await press('Shift+Tab')  // backwards to the frame
        await tab_to('Context')
        await press('Enter')
        await page.getByRole('treeitem', { name: 'pump' }).waitFor()
        for (let step = 0; step < 40 && await page.evaluate(() => document.activeElement.getAttribute('role')) !== 'treeitem'; ++step) {
            await press('Tab')
        }
        const text = () => page.evaluate(() => document.activeElement.querySelector('.key').textContent)
        assert.equal(await text(), 'pump')
        await press('End')
        assert.equal(await text(), 'other')
        await press('Home', 'ArrowRight', 'ArrowRight')
        assert.equal(await text(), 'runs')
        await press('Enter')
        await page.getByRole('dialog').waitFor()
        await press('Control+a')
        await page.keyboard.type('2')
        await tab_to('Save')
        await press('Enter')
        await page.getByRole('dialog').waitFor({ state: 'detached' })
        assert.equal(await text(), 'runs')
        assert.deepEqual((await house.api.scopes()).global, { pump: { runs: 2 }, other: true })
        await press('ArrowLeft')
        assert.equal(await text(), 'pump')
        await press('ArrowLeft', 'ArrowDown')
        assert.equal(await text(), 'other')
        await visit.end()
    })

    test('offers a way past the frame', async () => {
        const visit = await house.enter()
        await visit.page.evaluate(() => document.activeElement.blur())
        await visit.page.keyboard.press('Tab')
        await visit.page.getByRole('link', { name: 'Skip to content' }).press('Enter')
        assert.equal(await visit.page.evaluate(() => document.activeElement.id), 'main')
        await visit.page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
        await visit.end()
    })
})
