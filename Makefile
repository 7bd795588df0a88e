.PHONY: test lint types bench quality gallery recipe-pictures backbone score-plot notebooks docs

test:
	pytest

lint:
	ruff check . && ruff format --check .

types:
	pyright

bench:
	python tests/benchmarks/import_time.py
	python tests/benchmarks/main_job.py
	python tests/benchmarks/execution.py
	python tests/benchmarks/pipelines.py
	python tests/benchmarks/parts.py
	python tests/benchmarks/memory.py
	python tests/benchmarks/callbacks.py
	python tests/benchmarks/replicas.py
	python tests/benchmarks/population.py
	python tests/benchmarks/finders.py
	python tests/benchmarks/monitors.py

# With DATA=FOLDER of the downloads that the scripts name, the sets of packages as well.
quality:
	python tests/benchmarks/quality.py
	python tests/benchmarks/auto_quality.py
ifdef DATA
	python tests/benchmarks/tables_quality.py $(DATA)
	python tests/benchmarks/small_tables.py $(DATA)
	python tests/benchmarks/sequences_quality.py $(DATA)
	python tests/benchmarks/images_quality.py $(DATA)
	python tests/benchmarks/text_quality.py $(DATA)
endif

score-plot:
	python -m docs.make_score_plot

gallery:
	python -m docs.make_gallery

recipe-pictures:
	python -m docs.make_recipe_pictures

backbone:
	python -m docs.make_backbone

notebooks:
	python -m docs.make_notebooks

docs:
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
