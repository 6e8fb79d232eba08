"""A plain FastAPI server, as Google's documents have people write one: routes from the environment."""

import os

from fastapi import FastAPI, Request

app = FastAPI()


@app.get(os.environ["AIP_HEALTH_ROUTE"])
def health():
    """Always."""
    return {"status": "healthy"}


@app.post(os.environ["AIP_PREDICT_ROUTE"])
async def predict(request: Request):
    """How long each instance is."""
    body = await request.json()
    return {"predictions": [len(text) for text in body["instances"]]}
