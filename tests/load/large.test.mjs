// Large contexts: what they cost in memory, and what a small request costs beside them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { describe, test } from 'node:test'
import { Connection } from '../clients/connection.mjs'
import { databases } from '../clients/databases.mjs'
import { stop_all } from '../clients/sandbox.mjs'
import { start_server } from '../clients/server.mjs'
import { median } from './figures.mjs'
import { start_platform_process } from './platform.mjs'

const MiB = 1024 * 1024
const most_growth = 32 * MiB // of a release build, while a project of 100 MiB is read
const token = 'planted-token.1000000000'
const samples = 100

for (const database of databases) {
    describe(`a large context on ${database.name}`, { skip: database.skip }, () => {
        // Runs `work` with a server, and what belongs to it.
        const with_server = async work => {
            const platform = await start_platform_process()
            const storage = await database.start()
            const server = await start_server(platform.url, { context: storage.context })
            const connection = new Connection(server.url)
            const ask = async (method, path, body) => {
                const answer = await connection.request(method, `/v1/context/${path}`, token, body)
                assert.equal(answer.status, 200, String(answer.body).slice(0, 200))
                return answer.body
            }
            try {
                await work(server, ask)
            } finally {
                connection.close()
                await stop_all(server, storage, platform)
            }
        }

        test('is read in pages with little memory', async t => {
            await with_server(async (server, ask) => {
                const scope = JSON.stringify(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`k${i}`, `${i}`.padEnd(MiB, 'x')])))
                for (let i = 0; i < 20; i++) {
                    await ask('POST', `large/cache/scope${i}`, scope)
                }
                await server.restart() // what writing took is gone
                await ask('GET', 'large/none/keys')
                const before = memory(server.pid)
                let most = before
                for (let i = 0; i < 3; i++) {
                    const length = await length_of(`${server.url}/v1/context/large/cache?limit=20`, () => {
                        most = Math.max(most, memory(server.pid))
                    })
                    assert.ok(length > 20 * scope.length, `${length} bytes`)
                }
                t.diagnostic(`${mib(before)} before, at most ${mib(most)} while 100 MiB were read`)
                assert.ok(most - before < most_growth, `grew by ${mib(most - before)}`)
            })
        })

        test('makes small requests no slower (a report)', async t => {
            await with_server(async (server, ask) => {
                const measure = async title => {
                    const value = 'x'.repeat(100)
                    const times = {}
                    for (const [kind, make] of Object.entries({
                        set: i => ['POST', 'p/small', `[{"key":"k${i % 10}","value":"${i}${value}"}]`],
                        'cache write': i => ['POST', 'p/cache/whole', `{"n":${i},"value":"${value}"}`],
                        get: () => ['GET', 'p/small?key=k1'],
                        'page of 1': () => ['GET', 'p/cache?limit=1']
                    })) {
                        const taken = []
                        for (let i = 0; i < samples; i++) {
                            const started = performance.now()
                            await ask(...make(i))
                            taken.push(performance.now() - started)
                        }
                        times[kind] = median(taken)
                    }
                    t.diagnostic(`${title}: ${Object.entries(times).map(([kind, ms]) => `${kind} ${ms.toFixed(2)} ms`).join(', ')}`)
                }
                await measure('2 scopes')
                const filled = async (count, size) => {
                    for (let i = 0; i < count; i++) {
                        await ask('POST', `p/cache/s${size}-${i}`, `{"value":"${'x'.repeat(size)}"}`)
                    }
                }
                await filled(100, 100)
                await measure('100 scopes more')
                await filled(1000, 101)
                await measure('1100 scopes more')
                await filled(20, 5 * MiB)
                await measure('1120 scopes more, 100 MiB')
            })
        })
    })
}

// Bytes of a process in memory.
function memory(pid) {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

function mib(bytes) {
    return `${(bytes / MiB).toFixed(1)} MiB`
}

// Reads an answer without keeping it; calls `look` with every piece.
function length_of(url, look) {
    return new Promise((resolve, reject) => {
        get(url, { headers: { authorization: `Bearer ${token}` }, agent: false }, response => {
            let length = 0
            response.on('data', piece => {
                length += piece.length
                look()
            })
            response.on('end', () => response.statusCode === 200 ? resolve(length) : reject(new Error(`status ${response.statusCode}`)))
            response.on('error', reject)
        }).on('error', reject)
    })
}
