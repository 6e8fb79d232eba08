"""All that runs inside the serving images, and the same code in process."""
