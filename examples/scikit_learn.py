"""A recipe as a scikit-learn estimator: a table as it is, a search, calibration, a pickle."""

import pickle

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split

import kerasrecipes as kr

table, y = load_breast_cancer(return_X_y=True, as_frame=True)
table["clinic"] = np.random.default_rng(0).choice(["north", "south"], len(table))
table.loc[::9, "mean radius"] = np.nan
table["clinic"] = pd.Categorical(table["clinic"])
x_train, x_test, y_train, y_test = train_test_split(
    table, y, test_size=0.25, stratify=y, random_state=0
)

network = kr.estimators.RecipeClassifier(
    form="mlp", hidden=(32,), learning_rate=0.02, epochs=5, batch_size=32, seed=0
)
search = GridSearchCV(network, {"dropout": [0.0, 0.3]}, scoring="neg_log_loss", cv=2)
search.fit(x_train, y_train)
print("best:", search.best_params_, "of recipe", search.best_estimator_.recipe_)

calibrated = CalibratedClassifierCV(search.best_estimator_, cv=2).fit(x_train, y_train)
for name, each in {"network": search.best_estimator_, "calibrated": calibrated}.items():
    p = each.predict_proba(x_test)
    print(f"{name}: accuracy {each.score(x_test, y_test):.3f}, log loss {log_loss(y_test, p):.3f}")

loaded = pickle.loads(pickle.dumps(calibrated))
same = (loaded.predict_proba(x_test) == calibrated.predict_proba(x_test)).all()
print("the pickle predicts the same:", bool(same))
