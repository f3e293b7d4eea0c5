// What a Node user would build: fastify, sharp and onnxruntime-node.
// usage: node fastify_ort.mjs MODEL.onnx CHANNELS SIDE PORT; the packages are those of the working folder
import { createRequire } from 'node:module'

const need = createRequire(process.cwd() + '/')
const fastify = need('fastify'), sharp = need('sharp'), onnx = need('onnxruntime-node')
const [model, channels, side, port] = [process.argv[2], ...process.argv.slice(3).map(Number)]
const session = await onnx.InferenceSession.create(model, { graphOptimizationLevel: 'all' })

async function tensor(bytes) {
  const picture = sharp(bytes).resize(side, side, { fit: 'fill' })
  const plain = channels === 1 ? picture.grayscale() : picture.toColourspace('srgb').removeAlpha()
  const pixels = await plain.raw().toBuffer()
  const area = side * side, values = new Float32Array(channels * area)
  for (let i = 0; i < area; i++)
    for (let c = 0; c < channels; c++) values[c * area + i] = pixels[i * channels + c] / 255
  return new onnx.Tensor('float32', values, [1, channels, side, side])
}

function softmax(scores) {
  const most = Math.max(...scores), powers = scores.map(s => Math.exp(s - most))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map(p => p / sum)
}

const server = fastify({ bodyLimit: 1 << 25 })
server.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, (request, body, done) => done(null, body))
server.post('/classify/:name', async request => {
  const answers = await session.run({ [session.inputNames[0]]: await tensor(request.body) })
  const predictions = softmax(Array.from(answers[session.outputNames[0]].data))
    .map((probability, index) => ({ index, label: String(index), probability }))
    .sort((a, b) => b.probability - a.probability)
  return { model: request.params.name, version: '1', predictions: predictions.slice(0, 10) }
})
await server.listen({ port, host: '127.0.0.1' })
