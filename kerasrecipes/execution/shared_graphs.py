"""Graphs that models of one kind share, so that only the first is traced."""

import collections
import copy
import threading
from collections.abc import Callable, Hashable
from typing import Any

import keras

from kerasrecipes.execution.likeness import Likeness


class SharedGraphs:
    """Keeps the graphs that were used last, for models like those that they were traced for.

    Variables are inputs of a graph, so it can be called with those of another model. It keeps no
    model and no variable alive.

    Args:
        most: How many graphs to keep, int >= 1. One of a small network takes 1 to 3 MB. Defaults
            to 64.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: collections.OrderedDict[Any, tuple[Any, list[int]]] = collections.OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Returns how many graphs are kept."""
        return len(self._kept)

    def clear(self) -> None:
        """Forgets all graphs."""
        with self._lock:
            self._kept.clear()

    def of(self, model: keras.Model, key: Hashable, trace: Callable[[], Any]) -> Any:
        """Returns a graph for a model: that of a model like it, or a new one.

        Args:
            model: A built model.
            key: What the graph depends on besides the model.
            trace: Returns the `ConcreteFunction` of a new graph.
        """
        before = Likeness(model)
        kept = self._look_up((before.key, key))
        if kept is not None:
            graph, places = kept
            return _bound(graph, places, before.variables)
        graph = trace()
        _let_go(graph.graph)
        after = Likeness(model)
        if before.key is not None and before.key == after.key:
            self._keep(graph, after.variables, (after.key, key))
        return graph

    def _look_up(self, key: Hashable) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, graph: Any, variables: list[Any], key: Hashable) -> None:
        number = {id(_handle(each)): at for at, each in enumerate(variables)}
        places = [number.get(id(each), -1) for each in graph.captured_inputs]
        if -1 in places:
            return
        with self._lock:
            self._kept[key] = _bound(graph, [], []), places
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _bound(graph: Any, places: list[int], variables: list[Any]) -> Any:
    """Returns the graph with these of the variables for its own."""
    bound = copy.copy(graph)
    bound.set_external_captures([_handle(variables[place]) for place in places])
    return bound


def _handle(variable: Any) -> Any:
    return variable.value.handle


def _let_go(graph: Any) -> None:
    """Lets a graph, and those within it, forget which tensors it was traced with.

    TensorFlow never frees such graphs, and so not the variables either: a model of Keras that was
    fitted keeps its memory when it is gone.
    """
    captures = graph.function_captures
    captures.clear()
    _ = captures.by_val_capture_tuples  # a cache of them, which is made anew
    for function in graph._functions.values():
        if function.graph is not None:
            _let_go(function.graph)
