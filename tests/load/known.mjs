// What is known of one value: that which the server acknowledged last, and those that it may have.

// How long a write of which nobody knows may still take effect: a database goes on with what it got
// when the one who sent it is gone.
const settled_after_ms = 5000

export class KnownValue {
    constructor() {
        this.acknowledged_ = undefined // nothing was written
        this.possible_ = [] // { value, since, superseded }
    }

    // The server said that it is done. An undefined value is a deletion.
    acknowledge(value) {
        this.acknowledged_ = value
        for (const possible of this.possible_) {
            possible.superseded = true
        }
    }

    // The connection broke, or the server could not say.
    may_be(value) {
        this.forget_()
        this.possible_.push({ value, since: Date.now(), superseded: false })
    }

    get acknowledged() {
        return this.acknowledged_
    }

    // Whether there is no doubt.
    get is_certain() {
        this.forget_()
        return this.possible_.length === 0
    }

    // Whether a reader may see this.
    allows(value) {
        this.forget_()
        return value === this.acknowledged_ || this.possible_.some(possible => possible.value === value)
    }

    // What a reader sees long after the last write stays.
    settle(value) {
        this.acknowledged_ = value
        this.possible_ = []
    }

    toString() {
        const shown = value => value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 40)
        return [shown(this.acknowledged_), ...this.possible_.map(({ value }) => `perhaps ${shown(value)}`)].join(', ')
    }

    forget_() {
        if (this.possible_.length > 0) {
            const now = Date.now()
            this.possible_ = this.possible_.filter(({ since, superseded }) => !superseded || now - since < settled_after_ms)
        }
    }
}
