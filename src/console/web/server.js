// The API as the page uses it. The token travels in the header of requests to this server, and
// nowhere else.
import { url_path, url_segment } from './paths.js'

const base = new URL('.', document.baseURI)

// What the server refused, in its own words; status 0 where it said nothing.
export class ServerError extends Error {
    constructor(status, words, body) {
        super(words)
        this.status = status
        this.body = body
    }
}

function words_of(status, text) {
    let body
    try {
        body = JSON.parse(text)
    } catch {
        return [text.trim() || `The server answered ${status}.`, undefined]
    }
    const words = body?.message ?? body?.error ?? `The server answered ${status}.`
    const limit = typeof body?.limit === 'number' ? ` (limit: ${new Intl.NumberFormat('en').format(body.limit)})` : ''
    return [words + limit, body]
}

function refused(status, text) {
    return new ServerError(status, ...words_of(status, text))
}

function unreachable() {
    return new ServerError(0, 'The server cannot be reached.')
}

export class Server {
    constructor({ team, project, token }) {
        this.team = team
        this.project = project
        this.token = token
    }

    // ---- usage
    // { used, limit, contextLimit } of the project; without a project, what the team uses.
    async usage() {
        const project = this.project === '' ? '' : `/${url_segment(this.project)}?limits`
        return (await this.#ask('GET', `v1/quota/${url_segment(this.team)}${project}`)).json()
    }

    // The metrics need no token here, so none is sent.
    async metrics(signal) {
        const answer = await this.#ask('GET', 'metrics', { signal, is_open: true })
        return answer.text()
    }

    // ---- files; paths are lists of names
    #file(path) {
        return `v1/files/${url_segment(this.team)}/${url_segment(this.project)}/${url_path(path)}`
    }

    // A page of a folder: { meta, count, files }.
    async list(folder, { cursor, recursive, signal } = {}) {
        const query = new URLSearchParams({ list: '', limit: recursive ? '1000' : '500' })
        if (cursor !== undefined) {
            query.set('cursor', cursor)
        }
        if (recursive) {
            query.set('recursive', '')
        }
        const slash = folder.length > 0 ? '/' : ''
        return (await this.#ask('GET', `${this.#file(folder)}${slash}?${query}`, { signal })).json()
    }

    async download(path) {
        return (await this.#ask('GET', this.#file(path))).blob()
    }

    remove_file(path) {
        return this.#ask('DELETE', this.#file(path))
    }

    remove_folder(path) {
        return this.#ask('DELETE', `${this.#file(path)}?recursive`)
    }

    // Sends a file; a new one only, unless it `replaces`. fetch() tells nothing of progress.
    upload(path, file, { replaces, on_progress, signal }) {
        return new Promise((resolve, reject) => {
            const request = new XMLHttpRequest()
            request.open('POST', new URL(this.#file(path), base))
            request.setRequestHeader('Authorization', `Bearer ${this.token}`)
            request.setRequestHeader('Content-Type', 'application/octet-stream')
            if (!replaces) {
                request.setRequestHeader('If-None-Match', '*')
            }
            request.upload.addEventListener('progress', event => on_progress(event.loaded))
            request.addEventListener('load', () => {
                if (request.status === 200) {
                    resolve()
                } else {
                    reject(refused(request.status, request.responseText))
                }
            })
            request.addEventListener('error', () => reject(unreachable()))
            request.addEventListener('abort', () => reject(new ServerError(0, 'Cancelled.')))
            signal.addEventListener('abort', () => request.abort())
            request.send(file)
        })
    }

    // ---- context; keys are property expressions
    #context(rest) {
        return `v1/context/${url_segment(this.project)}/${rest}`
    }

    // A page of scopes with all their values: { meta, count, data: [{ scope, values }] }.
    async scopes({ cursor, limit = 50, signal } = {}) {
        const query = new URLSearchParams({ limit })
        if (cursor !== undefined) {
            query.set('cursor', cursor)
        }
        return (await this.#ask('GET', this.#context(`cache?${query}`), { signal })).json()
    }

    async names(scope) {
        return (await this.#ask('GET', this.#context(`${encodeURIComponent(scope)}/keys`))).json()
    }

    // The value, or undefined.
    async value(scope, key) {
        const query = new URLSearchParams({ key })
        const found = await (await this.#ask('GET', this.#context(`${encodeURIComponent(scope)}?${query}`))).json()
        return found[0]?.value
    }

    // Without a value it is removed.
    set_value(scope, key, value) {
        return this.#ask('POST', this.#context(encodeURIComponent(scope)), { json: [{ key, value }] })
    }

    replace_scope(scope, values) {
        return this.#ask('POST', this.#context(`cache/${encodeURIComponent(scope)}`), { json: values })
    }

    remove_scope(scope) {
        return this.#ask('DELETE', this.#context(encodeURIComponent(scope)))
    }

    async #ask(method, path, { json, signal, is_open } = {}) {
        const headers = is_open ? {} : { Authorization: `Bearer ${this.token}` }
        if (json !== undefined) {
            headers['Content-Type'] = 'application/json'
        }
        let answer
        try {
            answer = await fetch(new URL(path, base), {
                method,
                headers,
                body: json === undefined ? undefined : JSON.stringify(json),
                signal,
                cache: 'no-store',
                credentials: 'omit',
                redirect: 'error',
                referrerPolicy: 'no-referrer'
            })
        } catch (error) {
            throw error.name === 'AbortError' ? error : unreachable()
        }
        if (!answer.ok) {
            throw refused(answer.status, await answer.text())
        }
        return answer
    }
}
