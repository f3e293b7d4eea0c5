// Runs a model in ONNX Runtime on its first input.
// usage: node onnxruntime_run.cjs NODE_MODULES MODEL TYPE INPUT OUTPUT STEP LEVEL DIM...
// INPUT and OUTPUT are raw little-endian numbers; the input goes in STEP rows at a time. LEVEL: graphOptimizationLevel.
// The outputs follow each other in OUTPUT, for each step anew; what they are is printed as JSON: [[{type, dims}, ...]
// for each step].
const { readFileSync, writeFileSync } = require('fs')
const [, , modules, model, type, input, output, step, level, ...dims] = process.argv
const ort = require(modules + '/onnxruntime-node')
const ARRAYS = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array, int64: BigInt64Array }

async function main() {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, graphOptimizationLevel: level })
  const bytes = new Uint8Array(readFileSync(input)) // a copy: aligned for the numbers
  const all = new ARRAYS[type](bytes.buffer)
  const [n, ...rest] = dims.map(Number)
  const rows = Number(step), perRow = all.length / n
  const chunks = [], told = []
  for (let first = 0; first < n; first += rows) {
    const last = Math.min(first + rows, n)
    const tensor = new ort.Tensor(type, all.slice(first * perRow, last * perRow), [last - first, ...rest])
    const outputs = await session.run({ [session.inputNames[0]]: tensor })
    told.push(session.outputNames.map((name) => ({ type: outputs[name].type, dims: outputs[name].dims })))
    for (const name of session.outputNames) {
      const data = outputs[name].data
      chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  }
  writeFileSync(output, Buffer.concat(chunks))
  console.log(JSON.stringify(told))
}

main().catch((error) => { console.error(error); process.exit(1) })
