// How long requests took, by kind, and how many there were.

export class Figures {
    constructor() {
        this.kinds_ = new Map()
    }

    add(kind, milliseconds) {
        let times = this.kinds_.get(kind)
        if (!times) {
            this.kinds_.set(kind, times = [])
        }
        times.push(milliseconds)
    }

    get count() {
        return [...this.kinds_.values()].reduce((sum, times) => sum + times.length, 0)
    }

    // A line for each kind.
    report(seconds) {
        return [...this.kinds_].map(([kind, times]) => {
            times.sort((a, b) => a - b)
            const at = quantile => times[Math.min(times.length - 1, Math.floor(times.length * quantile))].toFixed(1)
            return `${kind}: ${times.length} (${Math.round(times.length / seconds)}/s), p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
        }).join('; ')
    }
}

export function median(numbers) {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
