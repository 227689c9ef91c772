// FlowFuse's file server and flowstore on the same data: one after the other in both orders, also
// after a kill, and both at once. OLD_SERVER is the command of the former.
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Connection } from '../clients/connection.mjs'
import { ContextModel, rules_of } from '../clients/context_model.mjs'
import { Conversation, describe_difference } from '../clients/conversation.mjs'
import { postgres_is_missing, start_postgres } from '../clients/postgres.mjs'
import { Random } from '../clients/random.mjs'
import { make_folder, remove_folder, stop_all } from '../clients/sandbox.mjs'
import { request_of, Sequences } from '../clients/sequences.mjs'
import { start_server } from '../clients/server.mjs'
import { start_platform_process } from './platform.mjs'

const old_server = process.env.OLD_SERVER?.split(' ')
const seed = Number(process.env.SHARING_SEED ?? Date.now() % 2 ** 32)
const turns = 6 // of the two servers
const projects = 25
const quota = 3000
const whole_page = { kind: 'page', limit: 1000, follow: false }
// DIFFERENTIAL_RULES=old tries the test itself, with the other server in both roles.
const rules_for = who => rules_of(process.env.DIFFERENTIAL_RULES ?? who)
const skip = old_server ? false : 'OLD_SERVER does not name FlowFuse\'s file server'

describe('FlowFuse\'s file server and flowstore', { skip }, () => {
    let platform
    let postgres
    let folder
    let stores = 0

    before(async () => {
        platform = await start_platform_process()
        postgres = postgres_is_missing ? undefined : await start_postgres()
        folder = make_folder('sharing')
    })

    after(async () => {
        await stop_all(postgres, platform)
        remove_folder(folder)
    })

    const contexts = {
        SQLite: () => ({ type: 'db', options: { type: 'sqlite', storage: path.join(folder, `context${++stores}.db`) } }),
        PostgreSQL() {
            const database = `sharing${++stores}`
            postgres.create_database(database)
            return { type: 'db', options: postgres.options(database) }
        }
    }
    const start = (who, context) => start_server(platform.url, who === 'old' ? { context, program: old_server } : { context })

    for (const [name, make_context] of Object.entries(contexts)) {
        const options = { skip: name === 'PostgreSQL' && postgres_is_missing }
        for (const first of ['old', 'ours']) {
            for (const end of ['stop', 'kill']) {
                test(`take turns on ${name}, ${first === 'ours' ? 'flowstore' : 'the other'} first, each ended by a ${end}`, options, async () => {
                    const context = make_context()
                    const random = new Random(seed)
                    const sequences = new Sequences(random, { long_arrays: false })
                    const models = new Map(Array.from({ length: projects }, (_, i) => [`project-${i}`, new ContextModel(rules_for(first))]))
                    for (let turn = 0; turn < turns; turn++) {
                        const who = (turn % 2 === 0) === (first === 'ours') ? 'ours' : 'old'
                        const server = await start(who, context)
                        const connection = new Connection(server.url)
                        try {
                            for (const [project, model] of models) {
                                model.follow(rules_for(who))
                                const operations = [whole_page, ...sequences.sequence(10), whole_page]
                                if (!await converse(connection, project, model, operations, `turn ${turn} (${who})`)) {
                                    models.delete(project)
                                }
                            }
                        } finally {
                            connection.close()
                            await (end === 'kill' ? server.kill() : server.stop())
                        }
                    }
                    assert.ok(models.size > 0)
                })
            }
        }

        test(`share ${name} at the same time, and the quota stays exact`, options, async () => {
            const context = make_context()
            const old = await start('old', context)
            const ours = await start('ours', context)
            const to_old = new Connection(old.url)
            const to_ours = new Connection(ours.url)
            const random = new Random(seed)
            const rows = new Map() // scope -> its JSON text
            const stored = () => [...rows.values()].reduce((sum, text) => sum + text.length, 0)
            const write = async (connection, token, scope, text) => {
                const { status } = await connection.request('POST', `/v1/context/shared/cache/${scope}`, token, text)
                if (status === 200) {
                    rows.set(scope, text)
                }
                return status
            }
            const text_of = length => `{"v":"${'x'.repeat(length - 8)}"}`
            try {
                for (let i = 0; i < 150; i++) {
                    if (random.chance(0.2) && rows.size > 0) {
                        const scope = random.pick([...rows.keys()])
                        await to_old.request('DELETE', `/v1/context/shared/${scope}`, 'old.100000')
                        rows.delete(scope)
                    } else if (stored() < quota - 500) {
                        assert.equal(await write(to_old, 'old.100000', `old${i % 7}`, text_of(20 + random.below(400))), 200)
                    }
                    rows.delete('ours')
                    await to_ours.request('DELETE', '/v1/context/shared/ours', `ours.${quota}`)
                    const room = quota - stored()
                    if (room > 10) {
                        assert.equal(await write(to_ours, `ours.${quota}`, 'ours', text_of(room + 1)), 413, `${room} left, round ${i}, seed ${seed}`)
                        assert.equal(await write(to_ours, `ours.${quota}`, 'ours', text_of(room)), 200, `${room} left, round ${i}, seed ${seed}`)
                    }
                }
            } finally {
                to_old.close()
                to_ours.close()
                await stop_all(old, ours)
            }
        })
    }
})

// Returns whether the model still knows what is stored.
async function converse(connection, project, model, operations, when) {
    const conversation = new Conversation(project, `${project}.0`, model)
    const done = []
    for (const operation of operations) {
        done.push(JSON.stringify(request_of(operation, project)))
        const difference = await conversation.ask(connection, operation)
        if (difference) {
            assert.fail([`seed ${seed}, ${when}; the last of these requests is answered differently:`, ...done, describe_difference(difference)].join('\n'))
        }
    }
    return !conversation.is_over
}
