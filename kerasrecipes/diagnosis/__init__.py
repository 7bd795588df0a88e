"""What the curves of a training tell afterwards. Reads plain data only, and imports no Keras."""

from kerasrecipes.diagnosis.diagnose import diagnose as diagnose
from kerasrecipes.diagnosis.result import Diagnosis as Diagnosis
from kerasrecipes.diagnosis.result import Finding as Finding
from kerasrecipes.diagnosis.run_record import RunRecord as RunRecord
