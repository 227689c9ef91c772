// The texts that the fuzzer has found, changed at random, and texts made by the grammar: what json_answers
// makes of them, byte for byte beside Node's own JSON.
//
//     node json_beside_node.mjs <json_answers> <seconds> <seed> <folder for finds> <corpus>...
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { JsonTexts } from '../clients/json_texts.mjs'
import { Random } from '../clients/random.mjs'

const [program, seconds, seed, finds, ...folders] = process.argv.slice(2)
const random = new Random(Number(seed))
const texts = new JsonTexts(random)
const corpus = folders.flatMap(folder => fs.readdirSync(folder).map(name => fs.readFileSync(path.join(folder, name))))
const batch_size = 1000
const most_bytes = 3900 // fewer brackets than json::kMaxDepth
const is_stored = 1
const is_taken = 2
const had_bad_utf8 = 4

function mutated(bytes) {
    for (let change = 1 + random.below(4); change > 0; change--) {
        const at = random.below(bytes.length + 1)
        const other = random.pick(corpus)
        const from = random.below(other.length + 1)
        const piece = random.weighted([
            [3, () => other.subarray(from, from + random.below(20))],
            [2, () => Buffer.from([random.below(256)])],
            [2, () => Buffer.from(texts.value(2))],
            [1, () => Buffer.from(random.pick(['"__proto__":', '"constructor":{"prototype":1}', '\\ud83d', '\ufeff', '1e21', '-0', ',', '"1":']))]
        ])
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + random.below(10))])
    }
    return bytes
}

function next_text() {
    const bytes = random.weighted([
        [6, () => mutated(random.pick(corpus))],
        [1, () => Buffer.from(texts.value(4))],
        [1, () => Buffer.from(texts.spoil(texts.value(4)))]
    ])
    return bytes.subarray(0, most_bytes)
}

// What the old server refuses: see secure-json-parse.
function is_poisoned(value) {
    if (typeof value !== 'object' || value === null) {
        return false
    }
    const has = (object, name) => typeof object === 'object' && object !== null && Object.hasOwn(object, name)
    return has(value, '__proto__') || (has(value, 'constructor') && has(value.constructor, 'prototype')) ||
        Object.values(value).some(is_poisoned)
}

// Of equal names JavaScript keeps the last: what an earlier one held is gone, and may have been the poison.
function hides_values(text, value) {
    const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)].filter(([, colon]) => colon).length
    return names > count_of_names(value)
}

function count_of_names(value) {
    if (typeof value !== 'object' || value === null) {
        return 0
    }
    const own = Array.isArray(value) ? 0 : Object.keys(value).length
    return Object.values(value).reduce((sum, member) => sum + count_of_names(member), own)
}

function expected(bytes) {
    const text = bytes.toString()
    const plain = text.replace(/^\ufeff/, '')
    try {
        const value = JSON.parse(plain)
        return {
            text: JSON.stringify(value),
            is_poisoned: is_poisoned(value),
            may_hide_poison: hides_values(plain, value),
            is_utf8: Buffer.from(text).equals(bytes)
        }
    } catch {
        return undefined
    }
}

function difference(bytes, flags, answer) {
    const wanted = expected(bytes)
    if (!wanted) {
        return flags & is_stored ? `taken as ${answer}, to Node no JSON` : ''
    }
    if (!(flags & is_stored)) {
        return `refused, Node has ${wanted.text}`
    }
    if (answer.toString() !== wanted.text || !answer.equals(Buffer.from(wanted.text))) {
        return `${answer}, Node has ${wanted.text}`
    }
    if (Boolean(flags & had_bad_utf8) === wanted.is_utf8) {
        return 'another opinion about UTF-8'
    }
    if (Boolean(flags & is_taken) === wanted.is_poisoned && (wanted.is_poisoned || !wanted.may_hide_poison)) {
        return `${wanted.is_poisoned ? 'taken' : 'refused'} as the body of a request`
    }
    return ''
}

// The answers to a batch, one after the other as they come out of the pipe.
class Answers {
    constructor(child) {
        this.child_ = child
        this.bytes_ = Buffer.alloc(0)
        this.chunks_ = child.stdout[Symbol.asyncIterator]()
    }

    async next() {
        const head = await this.take_(5)
        return { flags: head[0], text: await this.take_(head.readUInt32LE(1)) }
    }

    async take_(size) {
        const chunks = [this.bytes_]
        for (let have = this.bytes_.length; have < size;) {
            const { value, done } = await this.chunks_.next()
            if (done) {
                throw new Error(`${program} has ended`)
            }
            chunks.push(value)
            have += value.length
        }
        const bytes = chunks.length > 1 ? Buffer.concat(chunks) : this.bytes_
        this.bytes_ = bytes.subarray(size)
        return bytes.subarray(0, size)
    }
}

function question(bytes) {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(bytes.length)
    return Buffer.concat([size, bytes])
}

// Nothing if all answers are right.
async function first_difference(child, answers, batch) {
    child.stdin.write(Buffer.concat([...batch.map(question), question(Buffer.alloc(0))]))
    for (const bytes of batch) {
        const { flags, text } = await answers.next()
        const told = difference(bytes, flags, text)
        if (told) {
            return { bytes, told }
        }
    }
    return undefined
}

async function main() {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.on('error', () => {}) // the answers tell
    const answers = new Answers(child)
    const end = Date.now() + Number(seconds) * 1000
    let compared = 0
    let batch = corpus.filter(bytes => bytes.length > 0 && bytes.length <= most_bytes)
    do {
        const found = await first_difference(child, answers, batch)
        if (found) {
            const file = path.join(finds, `json-beside-node-${seed}`)
            fs.writeFileSync(file, found.bytes)
            console.log(`${JSON.stringify(found.bytes.toString())}: ${found.told}\nkept in ${file}`)
            process.exit(1)
        }
        compared += batch.length
        batch = Array.from({ length: batch_size }, next_text).filter(bytes => bytes.length > 0)
    } while (Date.now() < end)
    child.stdin.end()
    const [code] = await once(child, 'exit')
    console.log(`${compared} texts are the same (seed ${seed})`)
    process.exit(code ?? 1)
}

await main()
