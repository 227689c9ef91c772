// A PostgreSQL of the test's own, on a free port of the loopback address, with data in a temporary
// folder. Needs Debian's package; as root it runs as the user postgres, because it refuses root.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adopt, free_port, make_folder, remove_folder } from './sandbox.mjs'

const user = 'postgres'
const password = 'planted-password'
const start_patience_ms = 30000

// Where initdb and its kind are; undefined where PostgreSQL is not installed.
function binaries() {
    const versions = '/usr/lib/postgresql'
    const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => a - b).at(-1) : undefined
    return newest && path.join(versions, newest, 'bin')
}

// What test() and describe() take as `skip` where there is no PostgreSQL.
export const postgres_is_missing = binaries() ? false : 'PostgreSQL is not installed'

// Returns { options(database), create_database(name), query(database, sql), stop_at_once, launch,
// stop }. `options` is what a server's configuration file says under context.options. The data
// survives stop_at_once, which is a crash for everybody connected, and launch, which does nothing
// when it runs.
// With durable: false the data need not survive the machine, which spares a test the disk.
export async function start_postgres({ durable = true } = {}) {
    const folder = make_folder('postgres')
    const port = await free_port()
    const bin = binaries()
    const as_postgres = []
    if (process.getuid() === 0) {
        const ids = ['-u', '-g'].map(flag => Number(run(['id', flag, user])))
        chmodSync(folder, 0o755)
        chownSync(folder, ...ids)
        as_postgres.push('setpriv', `--reuid=${ids[0]}`, `--regid=${ids[1]}`, '--clear-groups')
    }
    const data = path.join(folder, 'data')
    const secret = path.join(folder, 'password')
    writeFileSync(secret, `${password}\n`)
    run([...as_postgres, path.join(bin, 'initdb'), '-D', data, '-U', user, '-A', 'scram-sha-256', `--pwfile=${secret}`, '--no-sync'])

    let running
    const launch = async () => {
        running ??= await start([...as_postgres, path.join(bin, 'postgres'), '-D', data, '-p', port, '-k', folder,
            '-c', 'listen_addresses=127.0.0.1', '-c', `fsync=${durable ? 'on' : 'off'}`].map(String), bin, port)
    }
    const finish = async signal => {
        running?.child.kill(signal)
        await running?.ended
        running = undefined
    }
    const query = (database, sql) => run([path.join(bin, 'psql'), '-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', database,
        '-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql], { PGPASSWORD: password })
    await launch()
    return {
        options: database => ({ type: 'postgres', host: '127.0.0.1', port, username: user, password, database }),
        create_database: name => query('postgres', `CREATE DATABASE ${name}`),
        query,
        stop_at_once: () => finish('SIGQUIT'),
        launch,
        async stop() {
            await finish('SIGINT')
            remove_folder(folder)
        }
    }
}

function run([program, ...args], env = {}) {
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: '/', env: { ...process.env, ...env } })
    if (status !== 0) {
        throw new Error(`${program} ${args.join(' ')}: ${error ?? stdout + stderr}`)
    }
    return stdout.trim()
}

async function start([program, ...args], bin, port) {
    const child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
    const server = { child, ended: adopt(child), log: '' }
    for (const output of [child.stdout, child.stderr]) {
        output.setEncoding('utf8').on('data', text => { server.log = (server.log + text).slice(-20000) })
    }
    const deadline = Date.now() + start_patience_ms
    while (spawnSync(path.join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]).status !== 0) {
        if (child.exitCode !== null || Date.now() > deadline) {
            child.kill('SIGKILL')
            throw new Error(`PostgreSQL did not start:\n${server.log}`)
        }
        await sleep(50)
    }
    return server
}
