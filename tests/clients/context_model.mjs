// What a context store must answer: the rules of the contract over Node-RED's own property functions
// and JavaScript's own JSON, on plain objects.
import node_red_util from 'node-red-util-3'

const { getObjectProperty, normalisePropertyExpression, setMessageProperty } = node_red_util.util

// Where flowstore does not do what FlowFuse's file server 2.32.1 does, and why. `old` and `ours` are
// what the model follows for either.
export const differences = {
    cache_names: {
        old: 'expressions',
        ours: 'literal',
        reason: 'the names in a cache write are names; read as property expressions, some would change or be refused'
    },
    most_items: {
        old: Infinity,
        ours: 1_000_000,
        reason: 'one small request must not build an array of gigabytes'
    },
    clean_needs: {
        old: 'anything',
        ours: 'an array of strings',
        reason: 'a string was taken for its characters, which wiped the project'
    },
    forbidden_names: {
        old: 'in the value',
        ours: 'in the text',
        reason: 'a member that a later one of the same name replaces is still a member; it is refused where it is read'
    },
    object_as_name: {
        old: 'converted',
        ours: '[object Object]',
        reason: 'a cross reference to an object names "[object Object]"; JavaScript fails if the object has a member "toString"'
    },
    inherited: {
        old: 'everything',
        ours: 'names of functions',
        reason: 'what objects inherit is not stored; nobody asks for more of it, nor for the prototype of a prototype'
    },
    below_prototypes: {
        old: 'changed',
        ours: 'lost',
        reason: 'what is set below "__proto__" is gone with the request anyway; it changes nothing meanwhile either'
    },
    lengths: {
        old: 'as Number() has them',
        ours: 'as JSON has them',
        reason: 'the length of an array may be set to a text; flowstore reads decimal digits there, nothing like "0x3"'
    },
    empty_json_body: {
        old: 'refused',
        ours: 'taken for none',
        reason: 'clients send a content type without a body with DELETE and clean'
    }
}

// { rule: value } for `who`, 'old' or 'ours'.
export function rules_of(who) {
    return Object.fromEntries(Object.entries(differences).map(([name, rule]) => [name, rule[who]]))
}

const answer = (status, body) => ({ status, body: body === undefined ? '' : JSON.stringify(body) })
const bad_request = (code, message) => answer(400, { statusCode: 400, code, error: 'Bad Request', message })
const bad_json = () => bad_request('FST_ERR_CTP_INVALID_JSON_BODY', 'Body is not valid JSON but content-type is set to \'application/json\'')
const bad_schema = message => bad_request('FST_ERR_VALIDATION', message)
// Refused, in words that the contract leaves open.
const refused = statuses => ({ statuses })
// One of the differences that have no rule here: what comes of it, also later, is not compared.
const left_open = () => ({ is_left_open: true })

// Deeper values than this may be refused, these and shallower ones may not.
const certain_depth = 3000

// The context of one project.
export class ContextModel {
    constructor(rules) {
        this.rules_ = rules
        this.rows_ = [] // in the order of their ids: { path, text }
        this.next_order_ = 0
    }

    // How many characters of JSON text are stored.
    size() {
        return this.rows_.reduce((sum, { text }) => sum + [...text].length, 0)
    }

    copy() {
        const copy = new ContextModel(this.rules_)
        copy.rows_ = this.rows_.map(row => ({ ...row }))
        copy.next_order_ = this.next_order_
        return copy
    }

    // From now on another kind of server answers for the same rows.
    follow(rules) {
        this.rules_ = rules
    }

    // POST /:scope with the text of a body.
    set(scope, text) {
        return this.with_json_(text, body => {
            const items = Array.isArray(body) ? body : [body]
            if (!Array.isArray(body) && is_object(body)) {
                return bad_schema('body must be array')
            }
            for (const i of items.keys()) {
                const item = items[i]
                if (!is_object(item) || !Array.isArray(body)) {
                    return bad_schema(`body/${i} must be object`)
                }
                if (Object.hasOwn(item, 'key')) {
                    const key = unwrapped(item.key)
                    if (typeof key === 'object' && key !== null) {
                        return bad_schema(`body/${i}/key must be string`)
                    }
                    item.key = key === null ? '' : String(key)
                }
            }
            return this.change_(scope, false, items)
        })
    }

    // POST /cache/:scope with the text of a body.
    cache(scope, text) {
        return this.with_json_(text, body => {
            if (!is_object(body)) {
                return bad_schema('body must be object')
            }
            return this.change_(scope, true, Object.entries(body).map(([key, value]) => ({ key, value })))
        })
    }

    // GET /:scope?key=...
    get(scope, keys) {
        const row = this.row_(scope)
        if (!row) {
            return answer(200, [])
        }
        const values = JSON.parse(row.text)
        const found = []
        for (const key of keys) {
            try {
                const value = getObjectProperty(values, key)
                if (value !== undefined && this.rules_.inherited !== 'everything' && is_far_inherited(values, key)) {
                    return left_open()
                }
                found.push({ key, value })
            } catch (error) {
                if (error.code === 'INVALID_EXPR') {
                    return bad_request(error.code, error.message)
                }
                found.push({ key })
            }
        }
        return answer(200, found)
    }

    // GET /:scope/keys
    keys(scope) {
        const row = this.row_(scope)
        return answer(200, row ? Object.keys(JSON.parse(row.text)) : [])
    }

    // GET /cache?limit=&cursor=, from the row after the one called `after` (see `last` below). The
    // server's number for a row takes the place of NEXT_CURSOR in the answer.
    page(limit, after) {
        const rows = this.rows_.filter(({ order }) => after === undefined || order > after).slice(0, limit)
        const data = rows.map(({ path, text }) => ({ scope: shown(path), values: JSON.parse(text) }))
        const meta = rows.length === limit ? { next_cursor: 'NEXT_CURSOR' } : {}
        return { ...answer(200, { meta, count: this.rows_.length, data }), last: rows.at(-1)?.order }
    }

    // DELETE /:scope
    remove(scope) {
        this.drop_(this.row_(scope))
        return answer(200)
    }

    // POST /clean with an array of ids.
    clean(ids) {
        const is_active = path => ids.some(id => path.startsWith(`${id}.flow`) || path.endsWith(`.nodes.${id}`))
        this.rows_ = this.rows_.filter(({ path }) => path === 'global' || is_active(path))
        return answer(200)
    }

    with_json_(text, act) {
        if (text === '') {
            return bad_request('FST_ERR_CTP_EMPTY_JSON_BODY', 'Body cannot be empty when content-type is set to \'application/json\'')
        }
        let body
        try {
            body = JSON.parse(text.replace(/^\ufeff/, ''))
        } catch {
            return bad_json()
        }
        if (depth_of(body) > certain_depth) {
            return refused([400])
        }
        const is_forbidden = this.rules_.forbidden_names === 'in the text' ? is_poisoned_text(text) : is_poisoned(body)
        return is_forbidden ? bad_json() : act(body)
    }

    change_(scope, replaces, items) {
        const row = this.row_(scope)
        const values = row && !replaces ? JSON.parse(row.text) : {}
        if (items.some(({ key, value }) => !replaces && this.is_left_open_(String(key), value))) {
            return left_open()
        }
        try {
            for (const { key, value } of items) {
                if (replaces && this.rules_.cache_names === 'literal') {
                    values[key] = value
                } else {
                    setMessageProperty(values, key, value)
                }
                if (longest_array(values) > this.rules_.most_items) {
                    return refused([400, 413])
                }
            }
        } catch (error) {
            if (this.rules_.object_as_name !== 'converted' && error.message === 'Cannot convert object to primitive value') {
                return left_open()
            }
            return answer(400, { error: error.message, code: error.code })
        }
        if (Object.keys(values).length === 0) {
            this.drop_(row)
        } else if (row || items.length > 0) {
            this.store_(scope, row, JSON.stringify(values))
        }
        return answer(200, {})
    }

    // Whether a difference without a rule could show when a value is set.
    is_left_open_(key, value) {
        const is_odd_length = /length["'\]]*$/.test(key) && (Array.isArray(value) || (typeof value === 'string' && !/^\d*$/.test(value)))
        return (this.rules_.below_prototypes === 'lost' && key.includes('__proto__')) ||
            (this.rules_.lengths === 'as JSON has them' && is_odd_length)
    }

    store_(scope, row, text) {
        if (row) {
            row.text = text
        } else {
            this.rows_.push({ order: this.next_order_++, path: stored(scope), text })
        }
    }

    row_(scope) {
        return this.rows_.find(({ path }) => path === stored(scope))
    }

    drop_(row) {
        this.rows_ = this.rows_.filter(one => one !== row)
    }
}

// The stored form of a scope in a request.
function stored(scope) {
    if (scope === 'global') {
        return scope
    }
    if (scope.includes('.nodes.')) {
        const [flow, node] = scope.split('.nodes.')
        return `${node}:${flow}`
    }
    if (scope.endsWith('.flow')) {
        return scope
    }
    if (scope.includes(':')) {
        const [node, flow] = scope.split(':')
        return `${flow}.nodes.${node}`
    }
    return `${scope}.flow`
}

// The form that a reader of the cache sees.
function shown(path) {
    if (path !== 'global' && path.includes('.nodes.')) {
        const [flow, node] = path.split('.nodes.')
        return `${node}:${flow}`
    }
    return path !== 'global' && path.endsWith('.flow') ? path.replace('.flow', '') : path
}

// Whether a key asks what a function has beside its name, or for the prototype of a prototype.
function is_far_inherited(values, key) {
    let value = values
    for (const [i, part] of normalisePropertyExpression(key, values).entries()) {
        if (typeof value === 'function' && part !== 'name') {
            return true
        }
        if (part === '__proto__' && value === Object.prototype) {
            return true
        }
        value = value[part]
    }
    return false
}

function is_object(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// The validator takes an array of one for what is in it where it wants a text.
function unwrapped(value) {
    return Array.isArray(value) && value.length === 1 ? value[0] : value
}

function children(value) {
    return typeof value === 'object' && value !== null ? Object.values(value) : []
}

// Whether there is a name anywhere that could change what objects inherit.
function is_poisoned(root) {
    const open = [root]
    while (open.length > 0) {
        const value = open.pop()
        if (typeof value === 'object' && value !== null) {
            if (Object.hasOwn(value, '__proto__')) {
                return true
            }
            const made_by = Object.hasOwn(value, 'constructor') ? value.constructor : undefined
            if (typeof made_by === 'object' && made_by !== null && Object.hasOwn(made_by, 'prototype')) {
                return true
            }
            for (const child of children(value)) {
                open.push(child)
            }
        }
    }
    return false
}

// The same for all that a JSON text says, also where it contradicts itself.
function is_poisoned_text(text) {
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g) ?? []
    const open = [] // the name before each opened object or array
    let name
    for (const [i, token] of tokens.entries()) {
        if (token === '{' || token === '[') {
            open.push(name)
            name = undefined
        } else if (token === '}' || token === ']') {
            open.pop()
            name = undefined
        } else if (tokens[i + 1] === ':') {
            name = JSON.parse(token)
            if (name === '__proto__' || (name === 'prototype' && open.at(-1) === 'constructor')) {
                return true
            }
        } else if (token !== ':') {
            name = undefined
        }
    }
    return false
}

function depth_of(root) {
    let depth = 0
    for (let level = [root]; ; depth++) {
        level = level.filter(value => typeof value === 'object' && value !== null).flatMap(children)
        if (level.length === 0) {
            return depth
        }
    }
}

// Without looking at each item of a long one.
function longest_array(root) {
    let longest = 0
    for (const open = [root]; open.length > 0;) {
        const value = open.pop()
        longest = Math.max(longest, Array.isArray(value) ? value.length : 0)
        if (longest > 2_000_000) {
            return longest
        }
        // What an array has beside its items does not come into the JSON text.
        const items = Array.isArray(value) ? value : children(value)
        Array.prototype.forEach.call(items, child => {
            if (typeof child === 'object' && child !== null) {
                open.push(child)
            }
        })
    }
    return longest
}
