// What lies in the house for a look at it: a greenhouse that keeps measurements.
export async function furnish(api) {
    const text = length => 'x'.repeat(length)
    await api.write(['measurements', '2026-11-27.csv'], text(182_400))
    await api.write(['measurements', '2026-11-28.csv'], text(96_113))
    await api.write(['models', 'tomato leaves.onnx'], text(904_000))
    await api.write(['pictures', 'bed 3 – Sonnenseite.jpg'], text(311_000))
    await api.write(['calibration.json'], text(1834))
    await api.write(['greenhouse.csv'], text(48_210))
    await api.write(['notes für Mai.txt'], text(612))
    await api.put_scope('global', {
        greenhouse: {
            temperature: 21.4, humidity: 63, doors: { north: 'closed', south: 'open' },
            setpoints: [18, 19.5, 21, 22], alarms: []
        },
        'last watering': '2026-11-28T05:30:00Z', isFrostExpected: false, operator: null, visits: 18_211
    })
    await api.put_scope('a4f1c2d3e5b60718', { pump: { runs: 412, since: '2026-03-01' }, queue: ['bed 1', 'bed 3'] })
    await api.put_scope('n7c2:a4f1c2d3e5b60718', { count: 412 })
    await api.put_scope('b8e0d1c2a3f40516', { history: Array.from({ length: 48 }, (_, at) => ({ hour: at, watts: 140 + (at * 37) % 90 })) })
}
