// One HTTP/1.1 connection that asks one question at a time, with little work per request, so that
// what is measured or pressed is the server.
import { connect } from 'node:net'

const patience_ms = 60000

// What became of a request of which nobody knows whether it was done: the connection ended first.
export class Disconnected extends Error {}

export class Connection {
    // `url` is the server's, without a path.
    constructor(url) {
        const { hostname, port, host } = new URL(url)
        this.address_ = { host: hostname, port: Number(port) }
        this.host_ = host
        this.socket_ = null
        this.received_ = Buffer.alloc(0)
        this.waiting_ = null
    }

    // Sends a request with a body (string, Buffer or undefined) and returns { status, headers, body }:
    // header names in lower case, the body as a Buffer. Connects where there is no connection;
    // throws Disconnected when the connection ends before the answer is complete.
    request(method, path, token, body, content_type = 'application/json') {
        return new Promise((resolve, reject) => {
            if (!this.socket_) {
                this.connect_()
            }
            this.waiting_ = { resolve, reject, method, socket: this.socket_ }
            const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.host_}\r\nAuthorization: Bearer ${token}\r\n`
            if (body === undefined) {
                this.socket_.write(`${head}\r\n`)
            } else {
                const bytes = Buffer.from(body)
                this.socket_.write(`${head}Content-Type: ${content_type}\r\nContent-Length: ${bytes.length}\r\n\r\n`)
                this.socket_.write(bytes)
            }
        })
    }

    close() {
        this.socket_?.destroy()
        this.socket_ = null
    }

    connect_() {
        const socket = connect({ ...this.address_, noDelay: true })
        this.socket_ = socket
        this.received_ = Buffer.alloc(0)
        let reason = 'the connection was closed'
        socket.setTimeout(patience_ms, () => {
            reason = `no answer in ${patience_ms} ms`
            socket.destroy()
        })
        socket.on('data', bytes => this.receive_(bytes))
        socket.on('error', error => { reason = error.message })
        socket.on('close', () => {
            if (this.socket_ === socket) {
                this.socket_ = null
            }
            if (this.waiting_?.socket === socket) {
                this.settle_().reject(new Disconnected(reason))
            }
        })
    }

    receive_(bytes) {
        this.received_ = this.received_.length > 0 ? Buffer.concat([this.received_, bytes]) : bytes
        const answer = this.waiting_ && parse(this.received_, this.waiting_.method)
        if (!answer) {
            return
        }
        this.received_ = this.received_.subarray(answer.end)
        const { resolve } = this.settle_()
        if (answer.headers.connection === 'close') {
            this.close()
        }
        resolve(answer)
    }

    settle_() {
        const waiting = this.waiting_
        this.waiting_ = null
        return waiting
    }
}

// The answer at the start of what was received, with the index of its `end`; undefined if it is not
// complete.
function parse(received, method) {
    const head_end = received.indexOf('\r\n\r\n')
    if (head_end < 0) {
        return undefined
    }
    const [first, ...lines] = received.toString('latin1', 0, head_end).split('\r\n')
    const status = Number(first.slice(9, 12))
    const headers = {}
    for (const line of lines) {
        const colon = line.indexOf(':')
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const start = head_end + 4
    if (headers['transfer-encoding'] === 'chunked') {
        const content = unchunk(received, start)
        return content && { status, headers, ...content }
    }
    const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
    const end = start + length
    return received.length < end ? undefined : { status, headers, body: received.subarray(start, end), end }
}

function unchunk(received, start) {
    const parts = []
    for (let at = start; ;) {
        const line_end = received.indexOf('\r\n', at)
        if (line_end < 0) {
            return undefined
        }
        const length = parseInt(received.toString('latin1', at, line_end), 16)
        const content = line_end + 2
        if (received.length < content + length + 2) {
            return undefined
        }
        if (length === 0) {
            return { body: Buffer.concat(parts), end: content + 2 }
        }
        parts.push(received.subarray(content, content + length))
        at = content + length + 2
    }
}
