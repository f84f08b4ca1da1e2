"""Networks of torch: asked without loaders, on their device, in a layout that suits it.

Imported only where a model of skorch, or a module, is at hand.
"""

from sksmooth.structure._torch._calls import answers, weights_device
from sksmooth.structure._torch._direct import direct_classifier
from sksmooth.structure._torch._execution import TorchExecution
from sksmooth.structure._torch._layers import TorchLayers
from sksmooth.structure._torch._layouts import laid_out
from sksmooth.structure._torch._modules import copied, is_plain, refuse_answers_by_batch, where
from sksmooth.structure._torch._parts import layers_of_module
from sksmooth.structure._torch._replicas import Replicas
from sksmooth.structure._torch._skorch import layers_of_net

__all__ = [
    "Replicas",
    "TorchExecution",
    "TorchLayers",
    "answers",
    "copied",
    "direct_classifier",
    "is_plain",
    "laid_out",
    "layers_of_module",
    "layers_of_net",
    "refuse_answers_by_batch",
    "weights_device",
    "where",
]
