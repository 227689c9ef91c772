// Several Node-RED instances on one server: isolation, quota, wrong tokens.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { start_platform } from './fake_platform.mjs'
import { start_node_red } from './nodered.mjs'
import { fail, read, succeed } from './outcomes.mjs'
import { stop_all } from './sandbox.mjs'
import { start_server } from './server.mjs'

const quota = 1000

describe('Node-RED instances of one server', () => {
    let platform
    let server
    let first
    let replica // of the first: the same instance, running twice
    let second
    let limited
    let intruder // has the second's token and the first's project

    before(async () => {
        platform = await start_platform([
            { project: 'first', token: 'planted-token-1' },
            { project: 'second', token: 'planted-token-2' },
            { project: 'limited', token: 'planted-token-3', quota: { file: quota } }
        ])
        server = await start_server(platform.url)
        const start = (project, token) => start_node_red({ server_url: server.url, team: 'team', project, token })
        const started = await Promise.allSettled([
            start('first', 'planted-token-1'), start('first', 'planted-token-1'), start('second', 'planted-token-2'),
            start('limited', 'planted-token-3'), start('first', 'planted-token-2')
        ]);
        [first, replica, second, limited, intruder] = started.map(({ value }) => value)
        assert.deepEqual(started.map(({ reason }) => reason).filter(reason => reason), [])
    })

    after(() => stop_all(first, replica, second, limited, intruder, server, platform))

    describe('two projects', () => {
        test('keep different files under the same name', async () => {
            await succeed(first, 'replace', { filename: 'same.txt', payload: 'of the first' })
            await succeed(second, 'replace', { filename: 'same.txt', payload: 'of the second' })
            assert.equal(await read(first, 'same.txt'), 'of the first')
            await succeed(second, 'delete', { filename: 'same.txt' })
            assert.equal(await read(first, 'same.txt'), 'of the first')
        })

        test('do not see each other\'s files', async () => {
            await succeed(first, 'replace', { filename: 'own.txt', payload: 'secret' })
            assert.deepEqual(await fail(second, 'read text', { filename: 'own.txt' }), ['Error: Not Found'])
        })

        // The URL class of the client resolves the dots, so the server sees the other project's path.
        test('cannot reach each other with dots in a name', async () => {
            await succeed(first, 'replace', { filename: 'target.txt', payload: 'untouched' })
            const filename = '../first/target.txt'
            assert.deepEqual(await fail(second, 'read text', { filename }), ['Error: unauthorized'])
            assert.deepEqual(await fail(second, 'replace', { filename, payload: 'x' }),
                ['failed to write to file: Error: unauthorized'])
            assert.deepEqual(await fail(second, 'delete', { filename }), ['failed to delete file: Error: unauthorized'])
            assert.equal(await read(first, 'target.txt'), 'untouched')
        })

        // These dots the client sends as they are. The old server fails here: it gives out the file.
        test('cannot reach each other with encoded dots and slashes', async () => {
            await succeed(first, 'replace', { filename: 'target2.txt', payload: 'untouched' })
            const filename = '..%2Ffirst%2Ftarget2.txt'
            assert.deepEqual(await fail(second, 'read text', { filename }), ['Error: Bad Request'])
            assert.deepEqual(await fail(second, 'replace', { filename, payload: 'x' }),
                ['failed to write to file: Error: Bad Request'])
            assert.equal(await read(first, 'target2.txt'), 'untouched')
        })
    })

    test('two replicas of an instance append to one file and lose nothing', async () => {
        const lines = name => Array.from({ length: 100 }, (_, i) => `${name} ${i}`)
        const append = (node_red, name) => succeed(node_red, 'append line',
            ...lines(name).map(payload => ({ filename: 'shared.log', payload })))
        await Promise.all([append(first, 'a'), append(replica, 'b')])
        const text = await read(replica, 'shared.log')
        assert.deepEqual(text.trimEnd().split('\n').sort(), [...lines('a'), ...lines('b')].sort())
    })

    test('an instance over its quota is told the limit, and keeps what it has', async () => {
        const message = `Error: Quota exceeded. The current limit is ${quota} bytes.`
        const half = 'x'.repeat(600)
        await succeed(limited, 'replace', { filename: 'half.txt', payload: half })
        assert.deepEqual(await fail(limited, 'replace', { filename: 'other.txt', payload: half }),
            [`failed to write to file: ${message}`])
        assert.deepEqual(await fail(limited, 'append', { filename: 'half.txt', payload: half }),
            [`failed to append to file: ${message}`])
        assert.equal(await read(limited, 'half.txt'), half)
        assert.deepEqual(await fail(limited, 'read text', { filename: 'other.txt' }), ['Error: Not Found'])

        await succeed(limited, 'delete', { filename: 'half.txt' })
        await succeed(limited, 'replace', { filename: 'other.txt', payload: half })
        assert.equal(await read(limited, 'other.txt'), half)
    })

    test('an instance without a valid token is refused', async () => {
        await succeed(first, 'replace', { filename: 'guarded.txt', payload: 'untouched' })
        const filename = 'guarded.txt'
        assert.deepEqual(await fail(intruder, 'read text', { filename }), ['Error: unauthorized'])
        assert.deepEqual(await fail(intruder, 'replace', { filename, payload: 'x' }),
            ['failed to write to file: Error: unauthorized'])
        assert.deepEqual(await fail(intruder, 'append', { filename, payload: 'x' }),
            ['failed to append to file: Error: unauthorized'])
        assert.deepEqual(await fail(intruder, 'delete', { filename }), ['failed to delete file: Error: unauthorized'])
        assert.deepEqual(await fail(intruder, 'replace in folder', { filename: 'a/b.txt', payload: 'x' }),
            ['failed to create file: Error: Unknown Error', 'failed to write to file: Error: unauthorized'])
        assert.equal(await read(first, filename), 'untouched')
    })
})
