"""What a Python user would build: FastAPI, uvicorn, Pillow, PyTorch. The network is a 784-128-10 MLP
with random weights: less work than the CNN that classifyd answers with."""
import io

import numpy
import torch
from fastapi import FastAPI, Request
from PIL import Image

torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 128), torch.nn.ReLU(),
                            torch.nn.Linear(128, 10)).eval()
app = FastAPI()


@app.post("/classify/{name}")
async def classify(name: str, request: Request):
    image = Image.open(io.BytesIO(await request.body())).convert("L").resize((28, 28))
    pixels = torch.from_numpy(numpy.asarray(image, dtype=numpy.float32)[None] / 255)
    with torch.inference_mode():
        probabilities, indices = torch.softmax(model(pixels)[0], 0).topk(10)
    return {"model": name, "version": "1",
            "predictions": [{"index": i, "label": str(i), "probability": p}
                            for i, p in zip(indices.tolist(), probabilities.tolist())]}
