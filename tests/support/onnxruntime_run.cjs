// Runs a model in ONNX Runtime: the first output for one input, raw little-endian float32 files.
// usage: node onnxruntime_run.cjs NODE_MODULES MODEL INPUT OUTPUT DIM...
const { readFileSync, writeFileSync } = require('fs')
const [, , modules, model, input, output, ...dims] = process.argv
const ort = require(modules + '/onnxruntime-node')

async function main() {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 })
  const bytes = new Uint8Array(readFileSync(input)) // a copy: aligned for the floats
  const tensor = new ort.Tensor('float32', new Float32Array(bytes.buffer), dims.map(Number))
  const outputs = await session.run({ [session.inputNames[0]]: tensor })
  const data = outputs[session.outputNames[0]].data
  writeFileSync(output, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

main().catch((error) => { console.error(error); process.exit(1) })
