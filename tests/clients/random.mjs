// Random choices that a seed repeats.

export class Random {
    constructor(seed) {
        this.state_ = seed >>> 0
    }

    // In [0, 1): the generator called mulberry32.
    number() {
        this.state_ = (this.state_ + 0x6d2b79f5) >>> 0
        let mixed = this.state_
        mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    }

    // A whole number in [0, end).
    below(end) {
        return Math.floor(this.number() * end)
    }

    chance(probability) {
        return this.number() < probability
    }

    pick(list) {
        return list[this.below(list.length)]
    }

    // Runs one of the functions of [[weight, function], ...].
    weighted(choices) {
        let left = this.number() * choices.reduce((sum, [weight]) => sum + weight, 0)
        for (const [weight, make] of choices) {
            left -= weight
            if (left < 0) {
                return make()
            }
        }
        return choices.at(-1)[1]()
    }

    // A list of `count` things.
    list(count, make) {
        return Array.from({ length: count }, (_, i) => make(i))
    }
}
