// Files: looking, sending, fetching, deleting, under any name.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { house_of_suite, project, quota, team } from './house.mjs'

// None of them may be anything but a name.
// Ten: a page of Chromium saves no more than that within a second.
const odd_names = [
    'two words.txt', 'grün–日本🌱.txt', `quote"and'quote.txt`, '<img src=x onerror="alert(1)">.txt', '100% #1?.txt',
    'back\\slash', '..hidden', '+plus;semi=colon&lt;b&gt;', 'עברית.txt', 'a\u202Egpj.txt'
]

describe('files', () => {
    const house = house_of_suite()
    let visit
    let page

    const enter = async () => {
        visit = await house.enter()
        page = visit.page
    }
    const row = name => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
    const upload = async (...files) => {
        await page.getByLabel('Files to upload').setInputFiles(files.map(({ name, buffer }) => ({ name, mimeType: 'text/plain', buffer })))
    }
    // As a person drops them: the page sees the events of a drag and a list of files.
    const drop = async (files) => {
        const transfer = await page.evaluateHandle(list => {
            const made = new DataTransfer()
            for (const { name, text } of list) {
                made.items.add(new File([text], name))
            }
            return made
        }, files)
        const target = page.getByRole('region', { name: 'Folder' })
        await target.dispatchEvent('dragenter', { dataTransfer: transfer })
        assert.match(await target.getAttribute('class'), /dropping/)
        await target.dispatchEvent('drop', { dataTransfer: transfer })
        assert.doesNotMatch(await target.getAttribute('class'), /dropping/)
    }
    const download = async name => {
        const coming = page.waitForEvent('download')
        await page.getByRole('button', { name: `Download ${name}`, exact: true }).click()
        return readFileSync(await (await coming).path())
    }

    test('are listed, folder by folder, and the way back is there', async () => {
        await house.api.write(['a.txt'], 'x'.repeat(1500))
        await house.api.write(['deep', 'deeper', 'b.txt'], 'x')
        await enter()
        assert.match(await row('a.txt').textContent(), /1\.5 kB/)
        await page.getByRole('link', { name: 'deep', exact: true }).click()
        await page.getByRole('link', { name: 'deeper', exact: true }).click()
        await row('b.txt').waitFor()
        await page.goBack()
        await page.getByRole('link', { name: 'deeper', exact: true }).waitFor()
        await page.goForward()
        await row('b.txt').waitFor()
        await page.getByRole('navigation', { name: 'Folders above' }).getByRole('link', { name: project }).click()
        await row('a.txt').waitFor()
        await visit.end()
    })

    test('come in pages', async () => {
        await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
            for (let at = lane; at < 503; at += 8) {
                await house.api.write([`f${String(at).padStart(3, '0')}`], '')
            }
        }))
        await enter()
        await row('f499').waitFor()
        assert.equal(await row('f500').count(), 0)
        await page.getByRole('button', { name: 'Show more' }).click()
        await row('f502').waitFor()
        assert.equal(await page.getByRole('row').count(), 504)
        await visit.end()
    })

    test('are uploaded byte for byte, many at once', async () => {
        const files = ['one.bin', 'two.bin', 'three.bin', 'four.bin', 'empty.bin'].map((name, at) => ({ name, buffer: randomBytes(at === 4 ? 0 : 200_000 + at) }))
        await enter()
        await upload(...files)
        await page.getByRole('status').getByText('5 files uploaded').waitFor()
        for (const { name, buffer } of files) {
            await row(name).waitFor()
            assert.deepEqual(await house.api.read([name]), buffer)
        }
        await visit.end()
    })

    test('are uploaded by dropping them, into the folder that is shown', async () => {
        await house.api.write(['in', 'there'], 'x')
        await enter()
        await page.getByRole('link', { name: 'in', exact: true }).click()
        await row('there').waitFor()
        await drop([{ name: 'dropped.txt', text: 'by hand' }, { name: 'second.txt', text: '' }])
        await row('dropped.txt').waitFor()
        await row('second.txt').waitFor()
        assert.equal(String(await house.api.read(['in', 'dropped.txt'])), 'by hand')
        await visit.end()
    })

    test('beside their place do not take the place of the page', async () => {
        await enter()
        assert.equal(await page.evaluate(() => window.dispatchEvent(new DragEvent('drop', { cancelable: true, bubbles: true }))), false)
        await visit.end()
    })

    test('are downloaded byte for byte', async () => {
        const content = randomBytes(700_001)
        await house.api.write(['random.bin'], content)
        await enter()
        assert.deepEqual(await download('random.bin'), content)
        await visit.end()
    })

    test('are deleted after a question', async () => {
        await house.api.write(['stays'], 'x')
        await house.api.write(['goes'], 'x')
        await house.api.write(['folder', 'inside', 'x'], 'x')
        await enter()
        await page.getByRole('button', { name: 'Delete goes' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
        assert.ok((await house.api.names_in()).includes('goes'))
        await page.getByRole('button', { name: 'Delete goes' }).click()
        await page.getByRole('button', { name: 'Delete file' }).click()
        await row('goes').waitFor({ state: 'detached' })
        await page.getByRole('button', { name: 'Delete folder', exact: true }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Delete folder' }).click()
        await row('folder').waitFor({ state: 'detached' })
        assert.deepEqual(await house.api.names_in(), ['stays'])
        await visit.end()
    })

    test('have any name, and names are never anything else', async () => {
        await enter()
        await upload(...odd_names.slice(0, 4).map(name => ({ name, buffer: Buffer.from(name) })))
        await page.getByRole('status').getByText('4 files uploaded').waitFor()
        for (const name of odd_names.slice(4)) {
            await house.api.write([name], name)
        }
        await house.api.write(['<script>alert(2)</script>', 'in "it".txt'], 'x')
        await page.reload()
        await visit.enter()
        await row(odd_names.at(-1)).waitFor()
        for (const name of odd_names) {
            assert.equal(String(await download(name)), name)
        }
        await page.getByRole('link', { name: '<script>alert(2)<', exact: true }).click()
        await page.getByRole('link', { name: 'script>', exact: true }).click()
        await row('in "it".txt').waitFor()
        assert.equal(await page.locator('main img, main script').count(), 0)
        await page.getByRole('navigation', { name: 'Folders above' }).getByRole('link', { name: project }).click()
        for (const name of odd_names) {
            await page.getByRole('button', { name: `Delete ${name}`, exact: true }).click()
            await page.getByRole('dialog').getByText(`Delete “${name}”?`, { exact: true }).waitFor()
            await page.getByRole('button', { name: 'Delete file' }).click()
            await row(name).waitFor({ state: 'detached' })
        }
        assert.deepEqual(await house.api.names_in(), ['<script>alert(2)<'])
        await visit.end()
    })

    test('that are there already are replaced after a question only', async () => {
        await house.api.write(['same.txt'], 'old')
        await enter()
        await upload({ name: 'same.txt', buffer: Buffer.from('new') })
        await page.getByRole('dialog').getByText('Replace “same.txt”?').waitFor()
        await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
        await page.getByText('kept as it was').waitFor()
        assert.equal(String(await house.api.read(['same.txt'])), 'old')
        await upload({ name: 'same.txt', buffer: Buffer.from('new') })
        await page.getByRole('button', { name: 'Replace' }).click()
        await page.getByText('3 B, done').waitFor()
        assert.equal(String(await house.api.read(['same.txt'])), 'new')
        await visit.end()
    })

    test('beyond the quota are refused in the words of the server', async () => {
        await enter()
        await upload({ name: 'large.bin', buffer: Buffer.alloc(quota.file + 1) })
        await page.getByRole('alert').getByText('Over Quota (limit: 2,000,000)').waitFor()
        await page.getByRole('status').getByText('0 files uploaded, 1 upload failed').waitFor()
        assert.deepEqual(await house.api.names_in(), [])
        await visit.end()
    })

    // The browser sends so many bytes in a second.
    const slow_down = async uploadThroughput => {
        const network = await visit.context.newCDPSession(page)
        await network.send('Network.enable')
        await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput })
    }

    test('go on while somebody looks elsewhere, until they sign out', async () => {
        await house.api.write(['elsewhere', 'x'], 'x')
        await enter()
        await slow_down(100_000)
        await upload({ name: 'slow.bin', buffer: Buffer.alloc(300_000) })
        await page.getByRole('link', { name: 'elsewhere' }).click()
        await row('x').waitFor()
        await page.getByRole('region', { name: 'Uploads' }).getByText('slow.bin').waitFor()
        await page.getByText('300 kB, done').waitFor()
        assert.equal((await house.api.read(['slow.bin'])).length, 300_000)
        await upload({ name: 'never.bin', buffer: Buffer.alloc(1_500_000) })
        await page.waitForFunction(() => document.querySelector('progress')?.value > 0)
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.getByRole('heading', { name: 'Sign in' }).waitFor()
        await visit.end()
        assert.deepEqual(await house.api.names_in(), ['elsewhere', 'slow.bin'])
        assert.deepEqual(await house.api.names_in(['elsewhere']), ['x'])
    })

    test('show how far they are, and can be called back', async () => {
        await enter()
        await slow_down(100_000)
        await upload({ name: 'slow.bin', buffer: Buffer.alloc(1_500_000) })
        const progress = page.getByRole('progressbar', { name: 'Upload of slow.bin' })
        await page.waitForFunction(() => document.querySelector('progress')?.value > 100_000)
        assert.ok(await progress.evaluate(element => element.value < element.max))
        assert.match(await page.getByRole('region', { name: 'Uploads' }).textContent(), /kB of 1\.5 MB/)
        await page.getByRole('button', { name: 'Cancel upload of slow.bin' }).click()
        await page.getByRole('alert').getByText('Cancelled.').waitFor()
        assert.deepEqual(await house.api.names_in(), [])
        await visit.end()
    })

    test('make the folder that is new', async () => {
        await enter()
        await page.getByRole('button', { name: 'New folder' }).click()
        await page.getByLabel('Name').fill('this/one & that')
        await page.getByRole('button', { name: 'Open', exact: true }).click()
        await page.getByText('Nothing is here yet.').waitFor()
        await upload({ name: 'first', buffer: Buffer.from('1') })
        await row('first').waitFor()
        assert.equal(String(await house.api.read(['this', 'one & that', 'first'])), '1')
        await page.getByRole('button', { name: 'New folder' }).click()
        await page.getByLabel('Name').fill('..')
        await page.getByRole('button', { name: 'Open', exact: true }).click()
        await page.getByRole('alert').getByText('".." cannot be a name here.').waitFor()
        await visit.end()
    })

    test('that are gone meanwhile are a complaint in the words of the server', async () => {
        await house.api.write(['gone.txt'], 'x')
        await enter()
        await house.api.ask('DELETE', `/v1/files/${team}/${project}/gone.txt`)
        await page.getByRole('button', { name: 'Download gone.txt' }).click()
        await page.getByRole('alert').getByText('ENOENT: no such file or directory').waitFor()
        await visit.end()
    })
})
