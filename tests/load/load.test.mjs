// Hundreds of projects at once on either database, with servers and databases that fail meanwhile: no
// acknowledged write is lost, no quota exceeded, and nothing refused that should not be.
//
// LOAD_SECONDS: how long each load lasts (default 8). LOAD_PROJECTS: how many projects (200).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '../clients/connection.mjs'
import { postgres_is_missing, start_postgres } from '../clients/postgres.mjs'
import { stop_all } from '../clients/sandbox.mjs'
import { start_server } from '../clients/server.mjs'
import { Load } from './load.mjs'
import { start_platform_process } from './platform.mjs'

const seconds = Number(process.env.LOAD_SECONDS ?? 8)
const projects = Number(process.env.LOAD_PROJECTS ?? 200)
const exact_quota = process.env.LOAD_RULES !== 'old' // FlowFuse's file server counts otherwise
const recovery_ms = 15000

const sqlite = { type: 'db', options: { type: 'sqlite', storage: 'context.db' } }

describe('the context store under load', () => {
    let platform
    let postgres
    let loads = 0

    before(async () => {
        platform = await start_platform_process()
        postgres = postgres_is_missing ? undefined : await start_postgres()
    })

    after(() => stop_all(postgres, platform))

    // A server on a new database of the running PostgreSQL, or beside others on theirs.
    const fresh_postgres = () => {
        const database = `load${++loads}`
        postgres.create_database(database)
        return { type: 'db', options: postgres.options(database) }
    }
    const start = context => start_server(platform.url, { context })

    // Runs a load on the servers, `faults` meanwhile, and compares what they hold in the end, also
    // after a last restart.
    const run = async (t, servers, options, faults = () => sleep(seconds * 1000)) => {
        const seed = Date.now() % 1_000_000
        const load = new Load({ urls: servers.map(({ url }) => url), projects, exact_quota, seed, ...options })
        load.start()
        await faults(load)
        await load.finish()
        const values = await load.verify(servers[0].url)
        await servers[0].restart()
        assert.equal(await load.verify(servers[0].url), values)
        t.diagnostic(load.report())
        assert.ok(load.refusals > 0, 'no quota was reached')
        assert.deepEqual(load.violations, [], `seed ${seed}; ${load.report()}`)
    }

    const kill_twice = server => async load => {
        for (let i = 0; i < 2; i++) {
            await sleep(seconds * 1000 / 3)
            await server.kill()
            await server.launch()
            await is_served(load)
        }
        await sleep(seconds * 1000 / 3)
    }

    // Waits until requests are answered again.
    const is_served = async load => {
        const { count } = load
        for (const deadline = Date.now() + recovery_ms; load.count < count + projects;) {
            assert.ok(Date.now() < deadline, 'nothing is answered any more')
            await sleep(20)
        }
    }

    for (const [name, skip, make] of [['SQLite', false, () => sqlite], ['PostgreSQL', postgres_is_missing, fresh_postgres]]) {
        test(`${projects} projects write and read at once on ${name}`, { skip }, async t => {
            const server = await start(make())
            try {
                await run(t, [server], { writers: 1 })
            } finally {
                await server.stop()
            }
        })

        test(`writers of the same projects lose nothing of each other on ${name}`, { skip }, async t => {
            const server = await start(make())
            try {
                await run(t, [server], { projects: Math.ceil(projects / 10), writers: 8, quota: 3000 }, () => sleep(seconds * 500))
            } finally {
                await server.stop()
            }
        })

        test(`every acknowledged write on ${name} survives kill -9`, { skip }, async t => {
            const server = await start(make())
            try {
                await run(t, [server], { writers: 1, tolerates: true }, kill_twice(server))
            } finally {
                await server.stop()
            }
        })
    }

    test('two servers on one PostgreSQL, one of them killed, lose nothing', { skip: postgres_is_missing }, async t => {
        const context = fresh_postgres()
        const servers = [await start(context), await start(context)]
        try {
            await run(t, servers, { writers: 2, projects: Math.ceil(projects / 2), quota: 2000, tolerates: true }, kill_twice(servers[1]))
        } finally {
            await stop_all(...servers)
        }
    })

    test('a PostgreSQL that crashes and comes back loses nothing', { skip: postgres_is_missing }, async t => {
        const server = await start(fresh_postgres())
        try {
            await run(t, [server], { writers: 1, tolerates: true }, async load => {
                await sleep(seconds * 1000 / 3)
                await postgres.stop_at_once()
                await sleep(1000)
                await postgres.launch()
                await is_served(load)
                await sleep(seconds * 1000 / 3)
            })
        } finally {
            await server.stop()
        }
    })

    test('starts without PostgreSQL, says when to come back, and finds it by itself', { skip: postgres_is_missing }, async () => {
        const context = fresh_postgres()
        await postgres.stop_at_once()
        let server
        try {
            server = await start(context) // waits for /health
            const connection = new Connection(server.url)
            const ask = () => connection.request('POST', '/v1/context/late/flow', 'late.1000', '[{"key":"a","value":1}]')
            const { status, headers } = await ask()
            assert.equal(status, 503)
            assert.ok(Number(headers['retry-after']) > 0, JSON.stringify(headers))
            await postgres.launch()
            for (const deadline = Date.now() + recovery_ms; (await ask()).status !== 200;) {
                assert.ok(Date.now() < deadline, 'PostgreSQL is not found')
                await sleep(50)
            }
            connection.close()
        } finally {
            await postgres.launch()
            await server?.stop()
        }
    })
})
