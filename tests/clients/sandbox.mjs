// Child processes and temporary folders that never outlive the test process, however it ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folders = new Set()
const children = new Set()

// A new empty folder. It goes with remove_folder, at the latest with the process.
export function make_folder(name) {
    const folder = mkdtempSync(path.join(tmpdir(), `flowstore-clients-${name}-`))
    folders.add(folder)
    return folder
}

export function remove_folder(folder) {
    rmSync(folder, { recursive: true, force: true })
    folders.delete(folder)
}

// Takes responsibility for a started child and returns a promise of how it ended, { code, signal }.
// A child that could not be started counts as ended, its code is the error's.
export function adopt(child) {
    children.add(child)
    return new Promise(resolve => {
        const ended = (code, signal) => {
            children.delete(child)
            resolve({ code, signal })
        }
        child.once('exit', ended)
        child.once('error', error => ended(error.code, null))
    })
}

// Asks a child to stop and waits; kills it after patience_ms. `ended` is what adopt returned.
export async function stop_child(child, ended, patience_ms) {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), patience_ms)
    try {
        return await ended
    } finally {
        clearTimeout(timer)
    }
}

// Stops everything that was started, in this order, and then throws the first error, if any: one that
// does not stop well must not keep the next ones running. What is undefined was never started.
export async function stop_all(...started) {
    const errors = []
    for (const one of started) {
        await one?.stop().catch(error => errors.push(error))
    }
    if (errors.length > 0) {
        throw errors[0]
    }
}

// A port of the loopback address on which nobody listens at the moment.
export function free_port() {
    return new Promise((resolve, reject) => {
        const probe = createServer()
        probe.once('error', reject)
        probe.listen(0, '127.0.0.1', () => {
            const { port } = probe.address()
            probe.close(() => resolve(port))
        })
    })
}

// The test runner sends SIGTERM to a file that takes too long; only 'exit' runs when a test throws.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => process.exit(1))
}
// Nobody reads the results any more. Without a listener Node ends at once, without 'exit'.
for (const output of [process.stdout, process.stderr]) {
    output.on('error', () => process.exit(1))
}
process.once('exit', () => {
    for (const child of children) {
        child.kill('SIGKILL')
    }
    for (const folder of folders) {
        rmSync(folder, { recursive: true, force: true })
    }
})
