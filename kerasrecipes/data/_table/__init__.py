"""What `TableSchema` does with pandas, which is imported only where it is used."""
