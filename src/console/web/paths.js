// Names in the forms that the API wants.

// The segments of a file's path as a part of a URL.
export function url_path(segments) {
    return segments.map(url_segment).join('/')
}

// One segment. A browser would resolve "." and ".." itself, so they are refused, as the server does.
export function url_segment(segment) {
    if (segment === '' || segment === '.' || segment === '..') {
        throw new Error(`"${segment}" cannot be a name here.`)
    }
    try {
        return encodeURIComponent(segment)
    } catch {
        throw new Error(`The name "${segment}" is not valid Unicode.`)
    }
}

// The view and the folder that the address of the page names: "#files/a%20b" is ["files", "a b"].
export function read_hash(hash) {
    return hash.replace(/^#/, '').split('/').filter(part => part !== '').map(part => {
        try {
            return decodeURIComponent(part)
        } catch {
            return part
        }
    })
}

export function folder_hash(segments) {
    return ['#files', ...segments.map(encodeURIComponent)].join('/')
}

// The property expression that leads to a value: names are texts, places in arrays are numbers.
// Nothing if there is none: names that are empty, or hold both kinds of quotes.
export function expression_of(path) {
    let expression = ''
    for (const part of path) {
        const written = expression_part(part, expression === '')
        if (written === null) {
            return null
        }
        expression += written
    }
    return expression
}

function expression_part(part, is_first) {
    if (typeof part === 'number') {
        return `[${part}]`
    }
    // A leading "msg." is not a name to the server.
    if (/^[A-Za-z_$][\w$]*$/.test(part) && !(is_first && part === 'msg')) {
        return is_first ? part : `.${part}`
    }
    const quote = ['"', "'"].find(mark => !part.includes(mark))
    if (part === '' || !quote) {
        return null
    }
    return is_first ? `${quote}${part}${quote}` : `[${quote}${part}${quote}]`
}

// How a path is shown to people.
export function path_text(path) {
    return path.map(part => (typeof part === 'number' ? `[${part}]` : part)).join(' › ')
}
