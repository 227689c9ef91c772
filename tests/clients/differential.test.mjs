// Thousands of random sequences of requests: every answer, byte for byte, beside what Node-RED's own
// functions make of the same on plain objects.
//
// DIFFERENTIAL_SEED (a number, or "random"), DIFFERENTIAL_SEQUENCES: which, and how many. DIFFERENTIAL_RULES=old for
// FlowFuse's file server; see context_model.mjs for what it does otherwise.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Connection } from './connection.mjs'
import { ContextModel, rules_of } from './context_model.mjs'
import { Conversation, describe_difference } from './conversation.mjs'
import { databases } from './databases.mjs'
import { start_platform } from './fake_platform.mjs'
import { JsonTexts } from './json_texts.mjs'
import { Random } from './random.mjs'
import { stop_all } from './sandbox.mjs'
import { request_of, Sequences, smaller } from './sequences.mjs'
import { start_server } from './server.mjs'

const seed = process.env.DIFFERENTIAL_SEED === 'random' ? Date.now() % 2 ** 32 : Number(process.env.DIFFERENTIAL_SEED ?? 1)
const who = process.env.DIFFERENTIAL_RULES ?? 'ours'
const rules = rules_of(who)
const is_ours = who === 'ours'
const sequence_count = Number(process.env.DIFFERENTIAL_SEQUENCES ?? (is_ours ? 3000 : 200))
const sequence_length = 12
const text_count = sequence_count * 3
const lanes = is_ours ? 16 : 3 // the old server stalls when more projects than this are written at once
const most_trials = 1000 // of making a failing sequence smaller

for (const database of databases) {
    describe(`the context store on ${database.name}, beside Node-RED's own functions`, { skip: database.skip }, () => {
        let platform
        let storage
        let server

        before(async () => {
            platform = await start_platform(project => ({ project, quota: { context: 0 } }))
            storage = await database.start()
            server = await start_server(platform.url, { context: storage.context })
        })

        after(() => stop_all(server, storage, platform))

        test(`answers ${sequence_count} sequences of requests the same (seed ${seed})`, async () => {
            const random = new Random(seed)
            const sequences = new Sequences(random, { long_arrays: is_ours })
            let made = 0
            await in_lanes(async connection => {
                while (made < sequence_count) {
                    made++
                    const sequence = sequences.sequence(sequence_length)
                    const difference = await first_difference(connection, sequence)
                    if (difference) {
                        made = sequence_count
                        assert.fail(await explain(connection, sequence, difference))
                    }
                }
            })
        })

        test(`takes ${text_count} JSON texts as JavaScript does (seed ${seed})`, async () => {
            const random = new Random(seed)
            const texts = new JsonTexts(random)
            let made = 0
            await in_lanes(async connection => {
                while (made < text_count) {
                    made++
                    const inner = texts.value(1 + random.below(5))
                    const text = is_ours && random.chance(0.5) ? texts.object(4) : `{"value":${inner}}`
                    const body = random.chance(0.4) ? texts.spoil(text) : text
                    const sequence = [{ kind: 'cache', scope: 'f', text: body }, { kind: 'page', limit: 30, follow: false }]
                    const difference = await first_difference(connection, sequence)
                    if (difference) {
                        made = text_count
                        assert.fail(await explain(connection, sequence, difference))
                    }
                }
            })
        })

        test('refuses a body that is not UTF-8', async () => {
            await in_lanes(async connection => {
                for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
                    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
                    const { status } = await connection.request('POST', `/v1/context/${fresh_project()}/cache/f`, 'token', body)
                    assert.equal(status, 400, String(bytes))
                }
            }, 1)
        })

        async function in_lanes(work, count = lanes) {
            const connections = Array.from({ length: count }, () => new Connection(server.url))
            try {
                await Promise.all(connections.map(work))
            } finally {
                connections.forEach(connection => connection.close())
            }
        }
    })
}

let projects = 0

function fresh_project() {
    return `differential-${process.pid}-${projects++}`
}

// Runs a sequence in a project of its own. Returns the first answer that is not what it should be,
// as { operation, expected, got }.
function first_difference(connection, sequence) {
    return new Conversation(fresh_project(), 'token', new ContextModel(rules)).ask_all(connection, sequence)
}

// The message about a failing sequence, made as small as it gets.
async function explain(connection, sequence, difference) {
    let trials = 0
    for (let progress = true; progress;) {
        progress = false
        for (const candidate of smaller(sequence)) {
            if (++trials > most_trials) {
                break
            }
            const found = await first_difference(connection, candidate)
            if (found) {
                sequence = candidate
                difference = found
                progress = true
                break
            }
        }
    }
    return [
        `seed ${seed}; the last of these requests is answered differently:`,
        ...sequence.map(operation => `  ${JSON.stringify(request_of(operation, 'project'))}`),
        describe_difference(difference)
    ].join('\n')
}
