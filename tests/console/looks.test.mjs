// How it looks, and to whom: usage, light and dark, phones, screen readers.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { furnish } from './furniture.mjs'
import { house_of_suite, quota, test_of_house } from './house.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
const kinds = {
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { ...phone, colorScheme: 'light' },
    'dark-phone': { ...phone, colorScheme: 'dark' }
}

// What the rules of WCAG 2.2 AA, as far as a program can judge, say against the page.
async function complaints_of_axe(page) {
    await page.evaluate(axe)
    const { violations, passes } = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    }))
    assert.ok(passes.length > 10)
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`)
}

// The views and dialogs, one after the other.
async function* rooms(visit) {
    const { page } = visit
    yield 'sign-in'
    await visit.sign_in({ with_token: 'wrong' })
    await page.getByRole('alert').waitFor()
    yield 'refused'
    await visit.enter()
    yield 'files'
    await page.getByLabel('Files to upload').setInputFiles([
        { name: 'soil.csv', mimeType: 'text/csv', buffer: Buffer.alloc(1200) },
        { name: 'large.bin', mimeType: 'text/csv', buffer: Buffer.alloc(quota.file) }])
    await page.getByRole('alert').waitFor()
    await page.getByRole('status').getByText('failed').waitFor()
    yield 'uploads'
    await page.getByRole('button', { name: 'Delete soil.csv' }).click()
    yield 'question'
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'measurements' }).click()
    await page.getByText('2026-11-27.csv').waitFor()
    yield 'folder'
    await visit.go('Context')
    await page.locator('.key').getByText('greenhouse', { exact: true }).click()
    await page.locator('.key').getByText('setpoints', { exact: true }).click()
    yield 'context'
    await page.locator('.key').getByText('humidity', { exact: true }).click()
    yield 'edit'
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Add value' }).click()
    yield 'add'
    await page.keyboard.press('Escape')
    await page.getByLabel('Search names').fill('14')
    yield 'search'
    await visit.go('Usage')
    await page.getByText('requests per second').waitFor()
    yield 'usage'
}

describe('the console', () => {
    const house = house_of_suite()

    for (const [kind, options] of Object.entries(kinds)) {
        test(`has nothing that axe complains about, and fits: ${kind}`, async () => {
            await furnish(house.api)
            const visit = await house.open(options)
            for await (const room of rooms(visit)) {
                // What lies in the kept part of the page is moved on by transitions for a moment.
                await visit.page.evaluate(() => Promise.allSettled(document.getAnimations().map(animation => animation.finished)))
                assert.deepEqual(await complaints_of_axe(visit.page), [], room)
                const [needed, there] = await visit.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
                assert.ok(needed <= there, `${room} is ${needed} wide`)
                await visit.picture(`${kind}-${room}`)
            }
            await visit.end()
        })
    }

    test('takes the shade that the system has', async () => {
        const shades = []
        for (const colorScheme of ['light', 'dark']) {
            const visit = await house.open({ colorScheme })
            shades.push(await visit.page.evaluate(() => {
                const [red, green, blue] = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number)
                return red + green + blue
            }))
            await visit.end()
        }
        assert.ok(shades[0] > 700 && shades[1] < 100, shades.join())
    })

    test('does not move where that is not wanted', async () => {
        const moving = async reducedMotion => {
            const visit = await house.open({ reducedMotion })
            const durations = await visit.page.evaluate(() => [...document.querySelectorAll('*')]
                .map(element => getComputedStyle(element)).map(style => style.transitionDuration + style.animationName))
            await visit.end()
            return durations.filter(text => text !== '0snone').length
        }
        assert.ok(await moving('no-preference') > 0)
        assert.equal(await moving('reduce'), 0)
    })

    test('does not grow wider for long names on a phone', async () => {
        const name = 'averylongnamewithoutanyspace'.repeat(7)
        await house.api.write([name], 'x')
        await house.api.put_scope(name, { [name]: name })
        const visit = await house.open(phone)
        await visit.enter()
        for (const view of ['Files', 'Context', 'Usage']) {
            await visit.go(view)
            await visit.page.getByText(name).first().waitFor()
            const [needed, there] = await visit.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
            assert.ok(needed <= there, `${view} is ${needed} wide`)
        }
        await visit.end()
    })

    test('shows usage against the quota', async () => {
        await house.api.write(['a', 'large'], 'x'.repeat(1_500_000))
        await house.api.write(['a', 'more'], 'x'.repeat(180_000))
        await house.api.write(['small'], 'x'.repeat(10_000))
        await house.api.put_scope('global', { a: 'x'.repeat(492) })
        const visit = await house.open()
        const { page } = visit
        await visit.enter('Usage')
        const files = page.getByRole('region', { name: 'Files' })
        await files.getByText('1.7 MB of 2.0 MB').waitFor()
        await files.getByText('84 % used, 310 kB left').waitFor()
        const drawn = await files.getByRole('img').locator('.filled').getAttribute('width')
        assert.equal(drawn, '84.50')
        assert.match(await files.getByRole('img').getAttribute('class'), /near/)
        await files.getByRole('row', { name: 'a/' }).getByText('1.7 MB').waitFor()
        const context = page.getByRole('region', { name: 'Context' })
        await context.getByText('500 of 5,000 characters').waitFor()
        await context.getByText('10 % used').waitFor()
        await visit.end()
    })

    test('shows the requests of now', async () => {
        const visit = await house.enter('Usage')
        const requests = visit.page.getByRole('region', { name: 'Requests' })
        await requests.getByText('requests per second').waitFor()
        const ended = new AbortController()
        const busy = (async () => {
            while (!ended.signal.aborted) {
                await house.api.read(['small'])
            }
        })()
        await visit.page.waitForFunction(() => Number(document.querySelector('[aria-label=Requests] strong')?.textContent) > 5)
        ended.abort()
        await busy
        assert.match(await requests.getByRole('img').locator('polyline').getAttribute('points'), / 300\.0,/)
        await visit.end()
    })
})

test_of_house('a server without metrics says so', { with_metrics: false }, 'Usage', async page => {
    await page.getByRole('alert').getByText('Route GET:/metrics not found').waitFor()
    await page.getByText('telemetry.backend.prometheus.enabled must be true').waitFor()
})
