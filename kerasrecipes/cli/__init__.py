"""The command line. Importing it loads no Keras; commands that train load it when they run."""
