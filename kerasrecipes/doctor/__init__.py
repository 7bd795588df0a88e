"""What this machine's TensorFlow and Keras can do, and which of their known faults they have.

The probes run in processes of their own; importing this loads no Keras.
"""

from kerasrecipes.doctor.examination import Examination as Examination
from kerasrecipes.doctor.examine import examine as examine
from kerasrecipes.doctor.findings import Device as Device
from kerasrecipes.doctor.findings import Fault as Fault
from kerasrecipes.doctor.findings import Strategy as Strategy
