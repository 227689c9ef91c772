// Random JSON texts, and texts that nearly are.

const numbers = [
    '0', '-0', '1', '-1', '42', '1.0', '1.50', '0.1', '0.30000000000000004', '1e400', '-1e400', '1e-400', '1E5', '1e+5', '1e-7', '1e-6', '0.000001',
    '0.0000001', '1e21', '1e20', '999999999999999999999', '123456789012345680000', '12345678901234567890', '9007199254740993',
    '5e-324', '2.2250738585072011e-308', '2.2250738585072014e-308', '1.7976931348623157e308', '1.7976931348623159e308', '-0.0', '-0e0',
    '4294967295', '1.00000000000000000000000000000000000000000000000001', '0.1e1', '100e-2', '179769313486231580793728971405301199',
    '2.5e-5', '9.5e-7', '4.35', '0.000035', '123e-20', '10e20', '10e21'
]
const characters = [
    '\\u0000', '\\ud800', '\\uDC00', '\\ud83d\\ude00', '\\udc00\\ud800', '\\ud800a', '\\u00e9', '\\u2028', '\\/', '\\\\', '\\"', '\\b\\f\\n\\r\\t', '\\u0041',
    '\\u001f', '\\u007f', '\\uffff', '\\ufeff', '\u007f', 'é', '☃', '😀', '\u2028', '\ufeff', ' ', '\'', '/', '<', '&', '{', ']', ',', ':', 'a', 'B', '7'
]
const names = [
    'a', 'b', 'c', 'a', 'b', 'x y', '', '0', '1', '2', '10', '01', '-1', '1.5', '4294967294', '4294967295', '4294967296', 'é', 'length', 'toString',
    'constructor', 'prototype', 'msg', 'valueOf', '__proto', 'a.b', 'a[0]', '\\ud800', '\\u0061', '\\u0000', '😀', '\\u0031'
]
// Half a character has no UTF-8.
export function well_formed(text) {
    return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

const spaces = ['', '', '', '', ' ', '\n', '\t', '\r\n', '  ']

export class JsonTexts {
    constructor(random) {
        this.random_ = random
    }

    // A JSON value of any kind, nested at most `depth` times.
    value(depth = 4) {
        const nested = depth > 0 ? 3 : 0
        return this.random_.weighted([
            [4, () => this.number()],
            [4, () => this.string()],
            [1, () => this.random_.pick(['null', 'true', 'false'])],
            [nested, () => this.array(depth - 1)],
            [nested, () => this.object(depth - 1)]
        ])
    }

    number() {
        return this.random_.weighted([
            [4, () => this.random_.pick(numbers)],
            [2, () => String(this.random_.below(1000))],
            [2, () => this.double_()],
            [2, () => this.digits_() + '.' + this.digits_() + this.exponent_()],
            [1, () => '-' + this.digits_() + this.exponent_()]
        ]).replace(/^(-?)0+(?=\d)/, '$1') // no leading zeros
    }

    string() {
        return `"${this.random_.list(this.random_.below(8), () => this.random_.pick(characters)).join('')}"`
    }

    array(depth) {
        return this.nest_('[', this.random_.list(this.random_.below(5), () => this.value(depth)), ']')
    }

    object(depth, name = () => this.random_.pick(names)) {
        const members = this.random_.list(this.random_.below(6), () =>
            `"${name()}"${this.space_()}:${this.space_()}${this.value(depth)}`)
        return this.nest_('{', members, '}')
    }

    // Arrays and objects in each other, this deep.
    deep(depth) {
        const opened = this.random_.list(depth, () => this.random_.chance(0.5))
        return opened.map(array => array ? '[' : '{"a":').join('') + '1' + opened.reverse().map(array => array ? ']' : '}').join('')
    }

    // A text with a character added, taken away or changed: often not JSON any more.
    spoil(text) {
        const at = this.random_.below(text.length + 1)
        const sign = this.random_.pick([...'{}[]",:0123456789.eE+-\\/ntfu \n\u0000x\'é', '\u00a0', '\ufeff', 'NaN', '00', '//'])
        return well_formed(this.random_.weighted([
            [1, () => text.slice(0, at)],
            [2, () => text.slice(0, at) + sign + text.slice(at)],
            [2, () => text.slice(0, at) + text.slice(at + 1)],
            [2, () => text.slice(0, at) + sign + text.slice(at + 1)]
        ]))
    }

    nest_(open, parts, close) {
        return open + this.space_() + parts.join(this.space_() + ',' + this.space_()) + this.space_() + close
    }

    space_() {
        return this.random_.pick(spaces)
    }

    digits_() {
        return this.random_.list(1 + this.random_.below(24), () => this.random_.below(10)).join('')
    }

    exponent_() {
        return this.random_.chance(0.5) ? '' : this.random_.pick(['e', 'E']) + this.random_.pick(['', '+', '-']) + this.random_.below(340)
    }

    // Any double there is.
    double_() {
        const bits = new DataView(new ArrayBuffer(8))
        bits.setUint32(0, this.random_.below(2 ** 32))
        bits.setUint32(4, this.random_.below(2 ** 32))
        const double = bits.getFloat64(0)
        return Number.isFinite(double) ? String(double) : '0'
    }
}
