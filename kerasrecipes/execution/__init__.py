"""How a recipe model trains: batch by batch, or many batches of rows in memory in one graph."""
