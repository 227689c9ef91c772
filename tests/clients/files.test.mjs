// What one Node-RED instance does with its files.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { drivers } from './drivers.mjs'
import { start_platform } from './fake_platform.mjs'
import { start_node_red } from './nodered.mjs'
import { fail, read, succeed } from './outcomes.mjs'
import { stop_all } from './sandbox.mjs'
import { start_server } from './server.mjs'

for (const { name, skip, files_and_folders_exclude_each_other, start } of drivers) {
    describe(`a Node-RED instance with files on ${name}`, { skip }, () => {
        let place
        let platform
        let server
        let node_red

        before(async () => {
            place = await start()
            platform = await start_platform([{ project: 'instance', token: 'planted-token' }])
            server = await start_server(platform.url, { driver: place.driver })
            node_red = await start_node_red({ server_url: server.url, team: 'team', project: 'instance', token: 'planted-token' })
        })

        after(() => stop_all(node_red, server, platform, place))

        test('writes a file and reads it back', async () => {
            const sent = await succeed(node_red, 'replace', { filename: 'greeting.txt', payload: 'hello' })
            assert.deepEqual(sent.map(msg => msg.payload), ['hello'])
            assert.equal(await read(node_red, 'greeting.txt'), 'hello')
        })

        test('replaces a file, also by a shorter one', async () => {
            await succeed(node_red, 'replace', { filename: 'replaced.txt', payload: 'a long first text' })
            await succeed(node_red, 'replace', { filename: 'replaced.txt', payload: 'short' })
            assert.equal(await read(node_red, 'replaced.txt'), 'short')
        })

        test('adds a line break to what it writes where the node says so', async () => {
            await succeed(node_red, 'replace with line break', { filename: 'line.txt', payload: 'one line' })
            assert.equal(await read(node_red, 'line.txt'), 'one line\n')
        })

        test('makes a file by appending and adds to it', async () => {
            await succeed(node_red, 'append', { filename: 'appended.txt', payload: 'one' })
            await succeed(node_red, 'append', { filename: 'appended.txt', payload: 'two' })
            assert.equal(await read(node_red, 'appended.txt'), 'onetwo')
        })

        test('appends the messages of a burst line by line and in order', async () => {
            const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`)
            await succeed(node_red, 'append line', ...lines.map(payload => ({ filename: 'log.txt', payload })))
            assert.equal(await read(node_red, 'log.txt'), lines.join('\n') + '\n')
        })

        test('appends bytes to bytes', async () => {
            const first = randomBytes(1000)
            const second = randomBytes(1000)
            await succeed(node_red, 'append', { filename: 'appended.bin', payload: first })
            await succeed(node_red, 'append', { filename: 'appended.bin', payload: second })
            assert.ok(Buffer.concat([first, second]).equals(await read(node_red, 'appended.bin', 'read buffer')))
        })

        test('writes objects as JSON, numbers and booleans as text', async () => {
            for (const [payload, text] of [[{ a: [1, 'ü'] }, '{"a":[1,"ü"]}'], [42, '42'], [true, 'true']]) {
                await succeed(node_red, 'replace', { filename: 'value.txt', payload })
                assert.equal(await read(node_red, 'value.txt'), text)
            }
        })

        test('writes and reads an empty file', async () => {
            await succeed(node_red, 'replace', { filename: 'empty.txt', payload: '' })
            assert.equal(await read(node_red, 'empty.txt'), '')
        })

        test('deletes a file', async () => {
            await succeed(node_red, 'replace', { filename: 'deleted.txt', payload: 'x' })
            await succeed(node_red, 'delete', { filename: 'deleted.txt' })
            assert.deepEqual(await fail(node_red, 'read text', { filename: 'deleted.txt' }), ['Error: Not Found'])
        })

        test('gets 5 MiB of bytes back unchanged', async () => {
            const data = randomBytes(5 * 1024 * 1024)
            await succeed(node_red, 'replace', { filename: 'large.bin', payload: data })
            assert.ok(data.equals(await read(node_red, 'large.bin', 'read buffer')))
        })

        test('reads a file line by line', async () => {
            await succeed(node_red, 'replace', { filename: 'lines.txt', payload: 'first\n\nthird — ü\n' })
            const sent = await succeed(node_red, 'read lines', { filename: 'lines.txt' })
            assert.deepEqual(sent.map(msg => msg.payload), ['first', '', 'third — ü', ''])
            assert.deepEqual(sent.map(msg => msg.parts.index), [0, 1, 2, 3])
            assert.equal(sent.at(-1).parts.count, 4)
        })

        test('reads a file as a stream of buffers', async () => {
            const data = randomBytes(200000) // more than the 64000 bytes that the node calls a chunk
            await succeed(node_red, 'replace', { filename: 'stream.bin', payload: data })
            const sent = await succeed(node_red, 'read stream', { filename: 'stream.bin' })
            assert.ok(data.equals(Buffer.concat(sent.map(msg => msg.payload ?? Buffer.alloc(0)))))
        })

        test('makes the folders of a file, with the option and without', async () => {
            await succeed(node_red, 'replace in folder', { filename: 'made/by/option.txt', payload: 'one' })
            await succeed(node_red, 'append in folder', { filename: 'made/by/append.txt', payload: 'two' })
            await succeed(node_red, 'replace', { filename: 'made/anyway/file.txt', payload: 'three' })
            assert.equal(await read(node_red, 'made/by/option.txt'), 'one')
            assert.equal(await read(node_red, 'made/by/append.txt'), 'two')
            assert.equal(await read(node_red, 'made/anyway/file.txt'), 'three')
        })

        // The node asks for the folder "." here, and the URL class makes the empty path of it.
        test('makes no folder for a file at the top', async () => {
            await succeed(node_red, 'replace in folder', { filename: 'top.txt', payload: 'top' })
            assert.equal(await read(node_red, 'top.txt'), 'top')
        })

        test('tells names with spaces, signs and all the world\'s letters apart', async () => {
            const names = ['with space.txt', 'with  two.txt', 'with+plus.txt', 'a&b=c;d:e,f@g.txt', "it's (1) [2] {3}!.txt",
                'ünïcödé.txt', 'папка/файл.txt', '日本語/ファイル 😀.txt', '.hidden', 'dots...', '~tilde']
            for (const filename of names) {
                await succeed(node_red, 'replace in folder', { filename, payload: `content of ${filename}` })
            }
            for (const filename of names) {
                assert.equal(await read(node_red, filename), `content of ${filename}`)
            }
        })

        test('means the same file with and without a slash in front', async () => {
            await succeed(node_red, 'replace', { filename: '/data/absolute.txt', payload: 'same' })
            assert.equal(await read(node_red, 'data/absolute.txt'), 'same')
        })

        test('finds its files after the server was restarted', async () => {
            await succeed(node_red, 'append', { filename: 'kept/log.txt', payload: 'before' })
            await server.restart()
            assert.equal(await read(node_red, 'kept/log.txt'), 'before')
            await succeed(node_red, 'append', { filename: 'kept/log.txt', payload: ' and after' })
            assert.equal(await read(node_red, 'kept/log.txt'), 'before and after')
        })

        const file = 'errors/file.txt'
        const where_names_exclude_each_other = [
            ['writes over a folder', 'replace', 'errors', ['failed to write to file: Error: Bad Request']],
            ['appends to a folder', 'append', 'errors', ['failed to append to file: Error: Bad Request']],
            ['writes below a file', 'replace', `${file}/x`, ['failed to write to file: Error: Bad Request']]
        ]
        for (const [situation, operation, filename, errors] of [
            ['reads a missing file', 'read text', 'missing.txt', ['Error: Not Found']],
            ['reads lines of a missing file', 'read lines', 'missing.txt', ['Error: Not Found']],
            ['deletes a missing file', 'delete', 'missing.txt', ['failed to delete file: Error: Bad Request']],
            ['reads a folder', 'read text', 'errors', ['Error: Internal Server Error']],
            ['deletes a folder', 'delete', 'errors', ['failed to delete file: Error: Bad Request']],
            ['reads below a file', 'read text', `${file}/x`, ['Error: Bad Request']],
            ...(files_and_folders_exclude_each_other ? where_names_exclude_each_other : [])
        ]) {
            test(`gets an error when it ${situation}`, async () => {
                await succeed(node_red, 'replace', { filename: file, payload: 'unharmed' })
                assert.deepEqual(await fail(node_red, operation, { filename, payload: 'x' }), errors)
                assert.equal(await read(node_red, file), 'unharmed')
            })
        }

        if (!files_and_folders_exclude_each_other) {
            test('keeps a file apart from those below its name', async () => {
                await succeed(node_red, 'replace', { filename: 'both/below.txt', payload: 'below' })
                await succeed(node_red, 'replace', { filename: 'both', payload: 'itself' })
                assert.equal(await read(node_red, 'both/below.txt'), 'below')
                assert.equal(await read(node_red, 'both'), 'itself')
            })
        }

        test('gets the error of a read also as a message where the node says so', async () => {
            const { sent, caught } = await node_red.run('read text or error', { filename: 'missing.txt' })
            assert.deepEqual(sent.map(msg => [msg.error.code, msg.error.message]), [['ENOENT', 'Not Found']])
            assert.deepEqual(caught.map(msg => [msg.error.code, msg.error.message]), [['ENOENT', 'Error: Not Found']])
        })
    })
}
