// Random sequences of requests to the context of one project, and how one of them is asked and
// what the model says to it. An operation is plain data, so that a failing sequence can be printed,
// made smaller and run again.
import { JsonTexts, well_formed } from './json_texts.mjs'

const scopes = ['global', 'f1', 'f1', 'n1:f1', 'n2:f1', 'f1.flow', 'f1.nodes.n1', 'f2', 'a:b:c', 'x:y.flow', 'ü ñ/ï', 'keys', '0']
const plain_names = ['a', 'b', 'c', 'list', 'x', '$', '_', 'a1']
const odd_names = [
    'é', '-a', 'a:b', 'a/b', 'a%', 'tab\t', '😀', '0', '1', '10', '01', '4294967295', '00000000000000000001', 'length', 'toString', 'constructor', 'valueOf',
    'hasOwnProperty', '__proto__', 'msg', '\ud800', '\u0000', 'true', 'null', 'undefined', '"q"', '\'q\'', '{}', 'a#b', 'a?b&c=d+e'
]
const steps = ['.a', '.b', '.list', '.0', '.1', '.01', '[0]', '[0]', '[1]', '[2]', '[7]', '[00]', '["a"]', '[\'a b\']', '["é"]', '["0"]', '.length', '["length"]',
    '[msg.x]', '[msg.a]', '[msg["x"]]', '[msg.list[0]]', '[msg.nothing]', '[999]', '.toString', '.constructor', '.$', '[0]b', '.a-b']
const broken_steps = ['.', '..a', '[', ']', '[]', '[a]', '[-1]', '[1.5]', '["a', '[""]', '."a"', '.é', ' ', '.a b', '[0', '[msg.x', '[msg', '[msg.]', '"a"', '[ 0]', '[0]]', '[\'a"]']
const too_long = ['[1000000]', '[4000000000]', '.list[1000001].a']

export class Sequences {
    // `long_arrays`: whether to ask for arrays so long that they should be refused.
    constructor(random, { long_arrays }) {
        this.random_ = random
        this.texts_ = new JsonTexts(random)
        this.long_arrays_ = long_arrays
    }

    sequence(length) {
        const scope = this.random_.pick(scopes)
        // Most of a sequence is about one scope, or little would ever meet.
        return this.random_.list(length, () => this.operation_(this.random_.chance(0.8) ? scope : this.random_.pick(scopes)))
    }

    operation_(scope) {
        return this.random_.weighted([
            [30, () => ({ kind: 'set', scope, items: this.random_.list(this.random_.weighted([[6, () => 1], [3, () => 2 + this.random_.below(4)], [1, () => 0]]), () => this.item_()) })],
            [20, () => ({ kind: 'get', scope, keys: this.random_.list(1 + this.random_.below(3), () => this.expression_()) })],
            [8, () => ({ kind: 'cache', scope, text: this.cache_text_() })],
            [6, () => ({ kind: 'keys', scope })],
            [10, () => ({ kind: 'page', limit: this.random_.pick([1, 2, 3, 30]), follow: this.random_.chance(0.5) })],
            [2, () => ({ kind: 'remove', scope })],
            [1, () => ({ kind: 'clean', ids: this.random_.list(this.random_.below(3), () => this.random_.pick(['f1', 'n1', 'n2', 'f2', 'f', 'b'])) })],
            [2, () => ({ kind: 'set', scope, text: this.odd_body_() })],
            [1, () => ({ kind: 'cache', scope, text: this.odd_body_() })]
        ])
    }

    // Texts of a key and a value; without a value the item deletes.
    item_() {
        const key = this.random_.weighted([
            [40, () => JSON.stringify(this.expression_())],
            [1, () => this.random_.pick(['5', 'true', 'null', '1.5', '["a"]', '[3]', '1e21', '-0', '{}', '[]', '["a","b"]', '[["a"]]', undefined])]
        ])
        const value = this.random_.weighted([
            [3, () => undefined],
            [9, () => this.texts_.value(this.random_.below(4))],
            [3, () => this.random_.pick(['0', '1', '2', '"a"', '"b"', '"x"', '[]', '{}', '[1,2,3]', '{"a":{"b":[0,1]}}', 'null', '[null,{"a":1}]', '"a.b"', '-1'])]
        ])
        return { key, value }
    }

    expression_() {
        const name = this.random_.weighted([
            [8, () => this.random_.pick(plain_names)],
            [2, () => this.random_.pick(odd_names)],
            [1, () => `msg.${this.random_.pick(plain_names)}`]
        ])
        const count = this.random_.weighted([[4, () => 0], [4, () => 1], [2, () => 2], [1, () => 3 + this.random_.below(3)]])
        const tail = this.random_.list(count, () => this.random_.weighted([
            [20, () => this.random_.pick(steps)],
            [2, () => '.' + this.random_.pick(odd_names)],
            [1, () => this.random_.pick(broken_steps)]
        ])).join('')
        return this.random_.weighted([
            [60, () => name + tail],
            [1, () => ''],
            [1, () => tail],
            [1, () => name + (this.long_arrays_ ? this.random_.pick(too_long) : tail)]
        ])
    }

    cache_text_() {
        return this.random_.weighted([
            [4, () => this.texts_.object(3)],
            [4, () => this.texts_.object(3, () => this.random_.pick(plain_names))],
            [1, () => '{}'],
            [1, () => `{"deep":${this.texts_.deep(this.random_.pick([10, 100, 2990]))}}`]
        ])
    }

    odd_body_() {
        return this.random_.weighted([
            [3, () => this.random_.pick(['', 'null', '1', '"text"', 'true', '{}', '[]', '[[]]', '[null]', '[1]', '[{}]', '[[{"key":"a","value":1}]]', '{"a":1}',
                '[{"key":"a","value":1,"more":2}]', '\ufeff[]', '[{"key":"a","__proto__":1}]', '[{"key":"a","value":{"constructor":{"prototype":1}}}]',
                '{"a":{"__proto__":{}}}', '[{"key":"a","value":1},[]]', ' {"b":1} '])],
            [1, () => this.texts_.spoil('[{"key":"a.b","value":[1,{"x":2.5e3}]}]')],
            [1, () => this.texts_.spoil('{"a":{"b":[1.5,"x\\u0041",null,true]}}')],
            [1, () => this.texts_.value(2)]
        ])
    }
}

// The request of an operation: { method, path, body, content_type }. `cursor` is the last page's.
export function request_of(operation, project, cursor) {
    const base = `/v1/context/${project}`
    const scope = operation.scope === undefined ? '' : encodeURIComponent(operation.scope)
    switch (operation.kind) {
        case 'set': return { method: 'POST', path: `${base}/${scope}`, body: text_of(operation) }
        case 'cache': return { method: 'POST', path: `${base}/cache/${scope}`, body: operation.text }
        case 'get': return { method: 'GET', path: `${base}/${scope}?${operation.keys.map(key => `key=${encodeURIComponent(well_formed(key))}`).join('&')}` }
        case 'keys': return { method: 'GET', path: `${base}/${scope}/keys` }
        case 'page': return { method: 'GET', path: `${base}/cache?limit=${operation.limit}${cursor === undefined ? '' : `&cursor=${cursor}`}` }
        case 'remove': return { method: 'DELETE', path: `${base}/${scope}` }
        case 'clean': return { method: 'POST', path: `${base}/clean`, body: JSON.stringify(operation.ids) }
    }
}

// What the model says to an operation. `after` is where the last page ended.
export function answer_of(operation, model, after) {
    switch (operation.kind) {
        case 'set': return model.set(operation.scope, text_of(operation))
        case 'cache': return model.cache(operation.scope, operation.text)
        case 'get': return model.get(operation.scope, operation.keys.map(well_formed))
        case 'keys': return model.keys(operation.scope)
        case 'page': return model.page(operation.limit, after)
        case 'remove': return model.remove(operation.scope)
        case 'clean': return model.clean(operation.ids)
    }
}

function text_of({ text, items }) {
    const member = (name, value) => value === undefined ? [] : [`"${name}":${value}`]
    return text ?? `[${items.map(({ key, value }) => `{${[...member('key', key), ...member('value', value)].join(',')}}`).join(',')}]`
}

// What is left of a sequence when one thing is taken away, for each thing there is.
export function* smaller(sequence) {
    for (let i = sequence.length - 1; i >= 0; i--) {
        yield without(sequence, i)
    }
    for (const operation of sequence) {
        for (const part of ['items', 'keys']) {
            for (let j = (operation[part]?.length ?? 0) - 1; j >= 0 && operation[part].length > 1; j--) {
                yield sequence.map(one => one === operation ? { ...operation, [part]: without(operation[part], j) } : one)
            }
        }
    }
}

function without(list, index) {
    return list.filter((_, i) => i !== index)
}
