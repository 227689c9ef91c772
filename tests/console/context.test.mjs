// Context: scopes, values as a tree, search, and changes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { house_of_suite, project, quota, test_of_house } from './house.mjs'

describe('context', () => {
    const house = house_of_suite()
    let visit
    let page

    const enter = async () => {
        visit = await house.enter('Context')
        page = visit.page
    }
    const item = name => page.getByRole('treeitem').filter({ has: page.locator(':scope > .row > .key').getByText(name, { exact: true }) })
    const toggle = name => item(name).locator('> .row > .key').click()
    const edit = async (name, text, button = 'Save') => {
        await item(name).locator('> .row > .edit').click()
        await page.getByLabel('Value, as JSON').fill(text)
        await page.getByRole('button', { name: button, exact: true }).click()
    }
    const closed = () => page.getByRole('dialog').waitFor({ state: 'detached' })
    const scope_button = name => page.getByRole('navigation', { name: 'Scopes' }).getByRole('button').filter({ hasText: name })

    test('is shown scope by scope, as a tree that opens', async () => {
        await house.api.put_scope('global', { text: 'x', list: [1, [2, null]], empty: {}, truth: true })
        await house.api.put_scope('n1:f1', { count: 7 })
        await enter()
        assert.equal(await page.getByRole('treeitem').count(), 4)
        assert.equal(await item('list').getAttribute('aria-expanded'), 'false')
        assert.equal(await item('empty').getAttribute('aria-expanded'), null)
        await toggle('list')
        assert.equal(await item('[1]').getAttribute('aria-level'), '2')
        await toggle('[1]')
        assert.equal(await page.getByRole('treeitem').count(), 8)
        assert.equal(await item('[1]').first().getAttribute('aria-posinset'), '2')
        await toggle('list')
        assert.equal(await page.getByRole('treeitem').count(), 4)
        await scope_button('n1:f1').click()
        assert.equal(await page.getByRole('treeitem').count(), 1)
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'n1:f1')
        await visit.end()
    })

    test('is edited as JSON, and the type stays', async () => {
        await house.api.put_scope('global', { a: { b: [1, 'two'] }, untouched: 1.5 })
        await enter()
        await toggle('a')
        await toggle('b')
        await edit('[1]', '{"now": ["an", "object", 3]}')
        await closed()
        assert.deepEqual((await house.api.scopes()).global, { a: { b: [1, { now: ['an', 'object', 3] }] }, untouched: 1.5 })
        assert.equal(await page.evaluate(() => document.activeElement.querySelector('.key').textContent), '[1]')
        await edit('untouched', '"1.5"')
        await closed()
        assert.equal((await house.api.scopes()).global.untouched, '1.5')
        await visit.end()
    })

    test('is left alone by what is not JSON', async () => {
        await house.api.put_scope('global', { a: 1 })
        await enter()
        await edit('a', '{a: 1}')
        await page.getByRole('alert').getByText('This is not JSON').waitFor()
        await page.getByRole('button', { name: 'Cancel' }).click()
        await closed()
        assert.deepEqual((await house.api.scopes()).global, { a: 1 })
        await visit.end()
    })

    test('may have changed meanwhile, which is not overwritten unasked', async () => {
        await house.api.put_scope('global', { a: 1, b: 1 })
        await enter()
        await house.api.put_scope('global', { a: 2, b: 1 })
        await edit('a', '3')
        await page.getByRole('alert').getByText('Somebody has changed the value meanwhile').waitFor()
        assert.deepEqual((await house.api.scopes()).global, { a: 2, b: 1 })
        await page.getByRole('button', { name: 'Save anyway' }).click()
        await closed()
        assert.deepEqual((await house.api.scopes()).global, { a: 3, b: 1 })
        await visit.end()
    })

    test('loses a value, an item or a scope after a question', async () => {
        await house.api.put_scope('global', { a: 1, list: ['x', 'y', 'z'] })
        await house.api.put_scope('f1', { gone: true })
        await enter()
        const remove = async name => {
            await item(name).locator('> .row > .edit').click()
            await page.getByRole('button', { name: 'Delete…' }).click()
            await page.getByRole('button', { name: 'Delete for good' }).click()
            await closed()
        }
        await remove('a')
        await toggle('list')
        await remove('[1]')
        assert.deepEqual((await house.api.scopes()).global, { list: ['x', 'z'] })
        await scope_button('f1').click()
        await remove('gone')
        assert.deepEqual(Object.keys(await house.api.scopes()), ['global'])
        await page.getByRole('button', { name: 'Delete scope' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Delete scope' }).click()
        await page.getByText('There is no context yet.').waitFor()
        assert.deepEqual(await house.api.scopes(), {})
        await visit.end()
    })

    test('gains a value, also in a scope that is new', async () => {
        await enter()
        await page.getByText('There is no context yet.').waitFor()
        const add = async (scope, name, value) => {
            await page.getByRole('button', { name: 'Add value' }).click()
            await page.getByLabel('Scope', { exact: true }).fill(scope)
            await page.getByLabel('Name', { exact: true }).fill(name)
            await page.getByLabel('Value, as JSON').fill(value)
            await page.getByRole('button', { name: 'Add', exact: true }).click()
        }
        await add('n1:f1', 'a.b[1]', '{"x": 1}')
        await closed()
        assert.deepEqual(await house.api.scopes(), { 'n1:f1': { a: { b: [null, { x: 1 }] } } })
        await item('a').waitFor()
        await add('n1:f1', 'not an expression', '1')
        await page.getByRole('alert').getByText('Invalid property expression').waitFor()
        await visit.end()
    })

    test('beyond the quota is refused in the words of the server', async () => {
        await house.api.put_scope('global', { a: 1 })
        await enter()
        await edit('a', JSON.stringify('x'.repeat(quota.context + 1)))
        await page.getByRole('alert').getByText('Over Quota (limit: 5,000)').waitFor()
        assert.deepEqual((await house.api.scopes()).global, { a: 1 })
        await visit.end()
    })

    test('has any names and values, which are never anything but text', async () => {
        const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>'
        const names = ['two words', 'dots.and[0]', `quote"`, `quote'`, `both"and'`, '', 'msg', hostile, '0', 'grün', 'toString', 'x\u202Ey']
        await house.api.put_scope('global', Object.fromEntries(names.map(name => [name, { [hostile]: hostile }])))
        await house.api.put_scope(hostile, { a: hostile })
        await enter()
        const expected = Object.fromEntries(names.map(name => [name, { [hostile]: hostile }]))
        for (const name of names) {
            await edit(name, JSON.stringify(`now ${name}`))
            await closed()
            expected[name] = `now ${name}`
            assert.deepEqual((await house.api.scopes()).global, expected, name)
        }
        await scope_button(hostile).click()
        await item('a').getByText(JSON.stringify(hostile), { exact: true }).waitFor()
        await page.getByLabel('Search names').fill('alert')
        await page.locator('mark').first().waitFor()
        assert.equal(await page.locator('main img, main script').count(), 0)
        await visit.end()
    })

    // To write to it in the usual way would be another request: remove all scopes but these.
    test('of a scope called clean is edited without cleaning', async () => {
        await house.api.put_scope('clean', { a: 1 })
        await house.api.put_scope('f1', { b: 2 })
        await enter()
        await scope_button('clean').click()
        await edit('a', '3')
        await closed()
        assert.deepEqual(await house.api.scopes(), { clean: { a: 3 }, f1: { b: 2 } })
        await visit.end()
    })

    test('is searched in names and values of all scopes', async () => {
        await house.api.put_scope('global', { deep: { deeper: [{ Needle: 1 }, { other: 2 }] }, far: 3 })
        await house.api.put_scope('f1', { a: 'a needle', b: 'needles' })
        await house.api.put_scope('f2', { nothing: 0 })
        await enter()
        await page.getByLabel('Search names').fill('needle')
        await page.getByRole('status').getByText('3 matches').waitFor()
        assert.deepEqual(await page.getByRole('treeitem').locator('> .row > .key').allTextContents(), ['deep', 'deeper', '[0]', 'Needle'])
        assert.equal(await page.locator('mark').textContent(), 'Needle')
        assert.match(await scope_button('f1').textContent(), /2 matches/)
        await scope_button('f2').click()
        await page.getByText('Nothing in this scope matches.').waitFor()
        await scope_button('f1').click()
        await edit('b', '"found"')
        await closed()
        assert.deepEqual((await house.api.scopes()).f1, { a: 'a needle', b: 'found' })
        await page.getByLabel('Search names').fill('')
        assert.equal(await page.getByRole('treeitem').count(), 2)
        await visit.end()
    })

    test('of many values is made as it is looked at', async () => {
        await house.api.put_scope('global', Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`k${at}`, at])))
        await enter()
        assert.equal(await page.getByRole('treeitem').count(), 201)
        await page.getByText('Show more (250 left)').click()
        await page.getByText('Show more (50 left)').click()
        assert.equal(await page.getByRole('treeitem').count(), 450)
        await visit.end()
    })

    test('of a scope that is not in the list is opened by its name', async () => {
        await house.api.put_scope('global', { a: 1 })
        await enter()
        await house.api.put_scope('f9', { 'a b': 5, c: [1] })
        const open = async name => {
            await page.getByRole('button', { name: 'Open a scope by name' }).click()
            await page.getByLabel('Scope', { exact: true }).fill(name)
            await page.getByRole('button', { name: 'Open', exact: true }).click()
        }
        await open('f9')
        await item('a b').waitFor()
        await open('nowhere')
        await page.getByRole('alert').getByText('The scope “nowhere” holds nothing.').waitFor()
        await visit.end()
    })

    test('that changed elsewhere is there after a reload', async () => {
        await house.api.put_scope('global', { a: 1 })
        await enter()
        await house.api.ask('POST', `/v1/context/${project}/global`, '[{"key":"b","value":2}]', 'application/json')
        await page.getByRole('button', { name: 'Reload' }).click()
        await item('b').waitFor()
        await visit.end()
    })
})

test_of_house('a server without context says so', { with_context: false }, 'Context', async page => {
    await page.getByRole('alert').getByText('unauthorized').waitFor()
    await page.getByText('this server keeps no context').waitFor()
})
