"""A shop whose requests eddyline watches.

pip install eddyline fastapi uvicorn
EDDYLINE_URL=redis://localhost:6379 uvicorn shop:app
"""

from __future__ import annotations

import asyncio
import os
import random

from fastapi import FastAPI, HTTPException

from eddyline.middleware import EddylineMiddleware

app = FastAPI()
app.add_middleware(EddylineMiddleware, batcher=os.environ.get("EDDYLINE_URL", "redis://localhost:6379"), monitor="shop")

broken = False


@app.get("/products/{product}")
async def product(product: int) -> dict[str, int]:
    """Look at a product."""
    await asyncio.sleep(random.uniform(0.001, 0.005))
    return {"product": product, "price": 5 + product % 7}


@app.post("/orders")
async def order() -> dict[str, bool]:
    """Buy something: slow, and now and then impossible, while the shop is broken."""
    await asyncio.sleep(random.uniform(0.2, 0.4) if broken else random.uniform(0.005, 0.02))
    if broken and random.random() < 0.3:
        raise HTTPException(503, "the payment provider doesn't answer")
    return {"ordered": True}


@app.post("/break")
async def break_it(on: bool = True) -> dict[str, bool]:
    """Break the shop, or mend it."""
    global broken  # noqa: PLW0603
    broken = on
    return {"broken": broken}
