// What Node-RED instances do with the persistent context store of FlowFuse's launcher, with its cache
// and without, on both databases.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { change, ContextOf, make_context_flows } from './context_flows.mjs'
import { databases } from './databases.mjs'
import { start_platform } from './fake_platform.mjs'
import { start_node_red } from './nodered.mjs'
import { stop_all } from './sandbox.mjs'
import { start_server } from './server.mjs'

const quota = 300
const many = Array.from({ length: 70 }, (_, i) => `node${i}`)
const flush = { flushInterval: 0.05 } // seconds between a change in the cache and its write
// The old server's limit is 1000 characters where the platform names none.
const unlimited = { context: 0 }
const patience_ms = 10000

for (const database of databases) {
    describe(`Node-RED with its context on ${database.name}`, { skip: database.skip }, () => {
        let storage
        let platform
        let server
        const instances = {}

        // Who takes part: the project, the store's settings and the flows of each.
        const cast = {
            cached: { project: 'cached', context: flush },
            direct: { project: 'direct', context: { cache: false } },
            neighbour: { project: 'neighbour', context: { cache: false } },
            limited: { project: 'limited', context: { cache: false } },
            limited_cached: { project: 'limited-cached', context: flush },
            many: { project: 'many', context: { pageSize: 7 }, tabs: { tab: many } },
            many_again: { project: 'many', context: { pageSize: 20 }, tabs: { tab: many }, later: true }
        }
        const two_tabs = { tab: ['node', 'other'], spare: ['extra'] }

        const start = async name => {
            const { project, context, tabs = two_tabs } = cast[name]
            instances[name] = await start_node_red({
                server_url: server.url, team: 'team', project, token: `planted-token-of-${project}`, flows: make_context_flows(tabs), context
            })
        }
        const node = (instance, tab = 'tab', name = 'node') => new ContextOf(instances[instance], tab, name)

        // The rows of a project as they are stored: { scope: values }.
        const stored = async project => {
            const response = await fetch(`${server.url}/v1/context/${project}/cache?limit=1000`,
                { headers: { authorization: `Bearer planted-token-of-${project}` } })
            assert.equal(response.status, 200)
            const { data } = await response.json()
            return Object.fromEntries(data.map(({ scope, values }) => [scope, values]))
        }
        // Waits until what is stored for a project is as it should be. `write` is done over and over:
        // what is set while the store writes its cache waits there until something is set again.
        const stored_when = async (project, is_right, write = () => {}) => {
            for (const deadline = Date.now() + patience_ms; ;) {
                await write()
                const rows = await stored(project)
                if (is_right(rows)) {
                    return rows
                }
                assert.ok(Date.now() < deadline, `still stored for ${project}: ${JSON.stringify(rows)}`)
                await sleep(20)
            }
        }

        before(async () => {
            platform = await start_platform([...new Set(Object.values(cast).map(({ project }) => project))].map(project =>
                ({ project, token: `planted-token-of-${project}`, quota: project.startsWith('limited') ? { context: quota } : unlimited })))
            storage = await database.start()
            server = await start_server(platform.url, { context: storage.context })
            const started = await Promise.allSettled(Object.keys(cast).filter(name => !cast[name].later).map(start))
            assert.deepEqual(started.map(({ reason }) => reason).filter(reason => reason), [])
        })

        after(() => stop_all(...Object.values(instances), server, storage, platform))

        for (const name of ['cached', 'direct']) {
            describe(name === 'cached' ? 'with a cache' : 'without a cache', () => {
                test('keeps the contexts of a node, a flow and all flows apart', async () => {
                    const write = async () => {
                        for (const scope of ['node', 'flow', 'global']) {
                            await node(name).set(scope, 'who', scope)
                        }
                    }
                    await write()
                    for (const scope of ['node', 'flow', 'global']) {
                        assert.equal(await node(name).get(scope, 'who'), scope)
                    }
                    assert.equal(await node(name, 'tab', 'other').get('node', 'who'), undefined)
                    assert.equal(await node(name, 'tab', 'other').get('flow', 'who'), 'flow')
                    assert.equal(await node(name, 'spare', 'extra').get('flow', 'who'), undefined)
                    assert.equal(await node(name, 'spare', 'extra').get('global', 'who'), 'global')
                    const rows = await stored_when(name, rows => Object.keys(rows).length === 3, write)
                    assert.deepEqual(rows, { global: { who: 'global' }, tab: { who: 'flow' }, 'node:tab': { who: 'node' } })
                })

                test('sets and gets below a key', async () => {
                    await node(name).set('flow', 'house.rooms[1].lamp', { on: true })
                    await node(name).set('flow', 'house.rooms[0]', 'hall')
                    await node(name).set('flow', 'house["front door"]', 'shut')
                    assert.deepEqual(await node(name).get('flow', 'house'),
                        { rooms: ['hall', { lamp: { on: true } }], 'front door': 'shut' })
                    assert.equal(await node(name).get('flow', 'house.rooms[1].lamp.on'), true)
                    assert.equal(await node(name).get('flow', 'house.rooms[7].lamp'), undefined)
                    assert.equal(await node(name).get('flow', 'garden.gate'), undefined)
                })

                test('deletes a key, a part of a value and an item of an array', async () => {
                    await node(name).set('flow', ['gone', 'list', 'part'], [1, ['a', 'b', 'c'], { kept: 1, gone: 2 }])
                    for (const key of ['gone', 'list[1]', 'part.gone']) {
                        await node(name).set('flow', key, undefined)
                    }
                    assert.deepEqual(await node(name).get('flow', ['list', 'part', 'gone']), [['a', 'c'], { kept: 1 }, undefined])
                    assert.ok(!(await node(name).keys('flow')).includes('gone'))
                })

                test('lists the keys of a context', async () => {
                    await node(name, 'spare', 'extra').set('node', ['b', 'a', '10', '9'], [1, 2, 3, 4])
                    assert.deepEqual(await node(name, 'spare', 'extra').keys('node'), ['9', '10', 'b', 'a'])
                    assert.deepEqual(await node(name, 'tab', 'other').keys('node'), [])
                })

                test('keeps every kind of value', async () => {
                    const values = {
                        text: 'ünï ☃ 😀 "quoted" \\ \n\u0000\u2028', empty: '', zero: 0, no: false, nothing: null, number: 1.5e300,
                        list: [1, [2, [3, []]], {}], object: { a: { b: { c: {} } }, 1: 'one' }, long: 'x'.repeat(200000)
                    }
                    await node(name).set('global', Object.keys(values), Object.values(values))
                    assert.deepEqual(await node(name).get('global', Object.keys(values)), Object.values(values))
                })

                test('takes 20 messages at once', async () => {
                    const sets = Array.from({ length: 20 }, (_, i) => ({ scope: 'flow', action: 'set', key: `burst.key${i}`, value: i }))
                    await node(name).all(sets)
                    const whole = Object.fromEntries(sets.map(({ key, value }) => [key.slice(6), value]))
                    assert.deepEqual(await node(name).get('flow', 'burst'), whole)
                    const gets = await node(name).all(sets.map(({ key }) => ({ scope: 'flow', action: 'get', key })))
                    assert.deepEqual(gets.map(([value]) => value).sort((a, b) => a - b), sets.map(({ value }) => value))
                    await stored_when(name, rows => Object.keys(rows.tab.burst ?? {}).length === 20,
                        () => node(name).set('flow', 'burst.key0', 0))
                })

                test('works in other nodes than function nodes', async () => {
                    assert.deepEqual(await change(instances[name], 'spare', ['a', 1]), { by: ['a', 1] })
                    assert.deepEqual(await node(name, 'spare', 'extra').get('flow', 'changed.by[1]'), 1)
                })

                test('tells what is wrong with a key', async () => {
                    const [message] = await node(name).fail({ scope: 'flow', action: 'set', key: 'a b', value: 1 })
                    assert.match(message, /Invalid property expression: unexpected ' ' at position 1/)
                })

                test('has its values again after a restart', async () => {
                    await node(name).set('node', 'kept', { in: ['node'] })
                    await node(name).set('global', 'kept', 'everywhere')
                    await instances[name].restart()
                    assert.deepEqual(await node(name).get('node', 'kept'), { in: ['node'] })
                    assert.equal(await node(name).get('global', 'kept'), 'everywhere')
                    assert.equal(await node(name).get('flow', 'house.rooms[1].lamp.on'), true)
                    assert.equal((await node(name).get('global', 'long')).length, 200000)
                })

                test('forgets a flow that is not deployed any more, and nothing else', async () => {
                    const write = async () => {
                        await node(name, 'spare', 'extra').set('flow', 'a', 1)
                        await node(name, 'spare', 'extra').set('node', 'a', 1)
                        await node(name, 'tab', 'other').set('node', 'a', 1)
                    }
                    await stored_when(name, rows => rows['other:tab'] && rows.spare?.a && rows['extra:spare'], write)
                    await instances[name].deploy(make_context_flows({ tab: ['node'] }))
                    const rows = await stored_when(name, rows => !rows.spare && !rows['extra:spare'] && !rows['other:tab'])
                    assert.deepEqual(Object.keys(rows).sort(), ['global', 'node:tab', 'tab'])
                    assert.deepEqual(await node(name).get('node', 'kept'), { in: ['node'] })
                    await instances[name].deploy(make_context_flows(two_tabs))
                    assert.equal(await node(name, 'spare', 'extra').get('flow', 'a'), undefined)
                })
            })
        }

        test('reads at once with a cache, and says that it cannot without', async () => {
            await node('cached').set('flow', 'now', 1)
            assert.equal(await node('cached').get_at_once('flow', 'now'), 1)
            const [message] = await node('direct').fail({ scope: 'flow', action: 'get at once', key: 'now' })
            assert.match(message, /This context store must be called asynchronously/)
        })

        test('loads more scopes than a page holds', async () => {
            for (const name of many) {
                await node('many', 'tab', name).set('node', 'name', name)
            }
            await instances.many.restart() // writes its cache at the end
            assert.equal(Object.keys(await stored('many')).length, many.length)
            await start('many_again')
            for (const instance of ['many', 'many_again']) {
                for (const name of many) {
                    assert.equal(await node(instance, 'tab', name).get('node', 'name'), name)
                }
            }
        })

        test('shows an instance nothing of another one', async () => {
            await node('direct').set('global', 'secret', 'of direct')
            assert.equal(await node('neighbour').get('global', 'secret'), undefined)
            await node('neighbour').set('global', 'secret', 'of the neighbour')
            assert.equal(await node('direct').get('global', 'secret'), 'of direct')
            await instances.neighbour.deploy(make_context_flows({ tab: ['node'] }))
            assert.equal(await node('direct').get('global', 'secret'), 'of direct')
        })

        test('tells a flow that its context is full, and keeps what there is', async () => {
            await node('limited').set('flow', 'small', 'x'.repeat(100))
            assert.deepEqual(await node('limited').fail({ scope: 'flow', action: 'set', key: 'large', value: 'x'.repeat(quota) }),
                [`Error: Quota exceeded. The current limit is ${quota} bytes.`])
            assert.deepEqual(await stored('limited'), { tab: { small: 'x'.repeat(100) } })
            await node('limited').set('flow', 'small', undefined)
            await node('limited').set('flow', 'other', 'x'.repeat(200))
            assert.deepEqual(await stored('limited'), { tab: { other: 'x'.repeat(200) } })
        })

        test('keeps working with a cache that is too large to be stored', async () => {
            const large = 'x'.repeat(2 * quota)
            await node('limited_cached').set('flow', 'large', large)
            for (const deadline = Date.now() + patience_ms; !/Failed to write cache to backend.*413/.test(instances.limited_cached.log);) {
                assert.ok(Date.now() < deadline, instances.limited_cached.log)
                await sleep(20)
            }
            assert.equal(await node('limited_cached').get('flow', 'large'), large)
            assert.deepEqual(await stored('limited-cached'), {})
            await stored_when('limited-cached', rows => rows.tab?.large === 'small',
                () => node('limited_cached').set('flow', 'large', 'small'))
        })

        test('goes on after a restart of the server', async () => {
            await node('direct').set('flow', 'count', 1)
            await server.restart()
            assert.equal(await node('direct').get('flow', 'count'), 1)
            await node('direct').set('flow', 'count', 2)
            assert.equal(await node('direct').get('flow', 'count'), 2)
        })
    })
}
