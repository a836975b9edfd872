"""LightGBM and XGBoost as estimators of scikit-learn that are kept as text, and never as pickles.

Each keeps its fitted model in the library's own format, and hands that to the library at the first question. So an
artifact is text and numbers: it is audited without the library, and the library is needed only by who asks for answers.
"""
