// Files on their way to the server, a few at a time.
import { confirm } from './dialogs.js'
import { announce, bytes_text, complaint, count_text, h, name_of } from './dom.js'

const at_a_time = 3

// The files of a drop, also those in folders: [{ path, file }].
export async function dropped_files(transfer, folder) {
    const items = [...transfer.items].filter(item => item.kind === 'file')
    // The items are gone with the event: everything is taken out of them at once.
    const taken = items.map(item => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }))
    const found = []
    for (const { entry, file } of taken) {
        if (entry?.isDirectory) {
            await add_folder(entry, [...folder, entry.name], found)
        } else if (file) {
            found.push({ path: [...folder, file.name], file })
        }
    }
    return found
}

async function add_folder(entry, path, found) {
    const reader = entry.createReader()
    const read = () => new Promise((resolve, reject) => { reader.readEntries(resolve, reject) })
    for (let entries = await read(); entries.length > 0; entries = await read()) {
        for (const inner of entries) {
            const inner_path = [...path, inner.name]
            if (inner.isDirectory) {
                await add_folder(inner, inner_path, found)
            } else {
                const file = await new Promise((resolve, reject) => { inner.file(resolve, reject) })
                found.push({ path: inner_path, file })
            }
        }
    }
}

// Of one sign-in: they go on while somebody looks at something else.
export class Uploads {
    constructor(server) {
        this.server = server
        this.on_end = () => {}  // called when nothing is under way any more
        this.waiting = []
        this.under_way = new Set()
        this.done = 0
        this.failed = 0
        this.questions = Promise.resolve()  // one dialog at a time
        this.list = h('ul')
        this.element = h('section', { class: 'panel uploads', 'aria-label': 'Uploads', hidden: true }, h('h2', null, 'Uploads'), this.list)
    }

    // `files` is [{ path, file }].
    add(files) {
        if (files.length === 0) {
            return
        }
        if (!this.is_busy) {
            this.list.replaceChildren()
        }
        this.element.hidden = false
        announce(`Uploading ${count_text(files.length, 'file')}`)
        for (const { path, file } of files) {
            this.waiting.push(this.item(path, file))
        }
        this.go_on()
    }

    item(path, file) {
        const controller = new AbortController()
        const progress = h('progress', { max: Math.max(file.size, 1), value: 0, 'aria-label': `Upload of ${path.at(-1)}` })
        const told = h('span', { class: 'quiet' }, 'waiting')
        const cancel = h('button', { type: 'button', class: 'small', 'aria-label': `Cancel upload of ${path.at(-1)}`,
            onclick: () => this.cancel(item) }, 'Cancel')
        const row = h('li', null, h('div', { class: 'upload' }, name_of(path.at(-1)), progress, told, cancel))
        this.list.append(row)
        const item = { path, file, controller, progress, told, cancel, row }
        return item
    }

    cancel(item) {
        item.controller.abort()
        const at = this.waiting.indexOf(item)
        if (at >= 0) {
            this.waiting.splice(at, 1)
            item.row.remove()
        }
    }

    get is_busy() {
        return this.under_way.size > 0 || this.waiting.length > 0
    }

    cancel_all() {
        this.waiting = []
        this.under_way.forEach(item => item.controller.abort())
    }

    go_on() {
        while (this.under_way.size < at_a_time && this.waiting.length > 0) {
            const item = this.waiting.shift()
            this.under_way.add(item)
            this.send(item).finally(() => {
                this.under_way.delete(item)
                this.go_on()
                this.end_if_done()
            })
        }
    }

    end_if_done() {
        if (this.is_busy) {
            return
        }
        const failed = this.failed > 0 ? `, ${count_text(this.failed, 'upload')} failed` : ''
        announce(`${count_text(this.done, 'file')} uploaded${failed}`)
        this.done = 0
        this.failed = 0
        this.on_end()
    }

    async send(item) {
        try {
            if (await this.transfer(item)) {
                this.done += 1
                item.told.textContent = `${bytes_text(item.file.size)}, done`
            } else {
                item.told.textContent = 'kept as it was'
            }
            item.progress.value = item.progress.max
        } catch (error) {
            this.failed += 1
            item.told.textContent = 'failed'
            item.row.classList.add('failed')
            item.row.append(complaint(error))
        }
        item.cancel.remove()
    }

    // False if there is such a file already and it is to stay.
    async transfer(item, replaces = false) {
        try {
            await this.server.upload(item.path, item.file, {
                replaces,
                signal: item.controller.signal,
                on_progress: sent => this.show_progress(item, sent)
            })
            return true
        } catch (error) {
            if (replaces || error.status !== 412) {
                throw error
            }
        }
        return await this.may_replace(item) && this.transfer(item, true)
    }

    show_progress(item, sent) {
        item.progress.value = sent
        item.told.textContent = `${bytes_text(sent)} of ${bytes_text(item.file.size)}`
    }

    may_replace(item) {
        const name = item.path.at(-1)
        const answer = this.questions.then(() => confirm(`Replace “${name}”?`, 'There is a file of that name already.', 'Replace'))
        this.questions = answer
        return answer
    }
}
