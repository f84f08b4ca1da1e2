"""Nets in the order in memory that suits a processor give the outputs of the nets themselves."""

import pickle
from copy import deepcopy

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn import functional

from sksmooth.nets._layouts import BlockedChain, ChannelsLast, laid_out

Conv = nn.Conv2d


def in_use(*layers):
    """Return a chain whose batch normalisation has seen something, in evaluation mode."""
    torch.manual_seed(0)
    chain = nn.Sequential(*layers)
    with torch.no_grad():
        chain(3 * torch.randn(64, 2, 12, 12) + 1)
    for layer in chain.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    return chain.eval()


class Residual(nn.Module):
    def __init__(self, view=False):
        super().__init__()
        self.first, self.second = Conv(2, 4, 3, padding=1), Conv(4, 4, 3, padding=1)
        self.last, self.view = nn.Linear(4 * 144, 5), view

    def forward(self, X):
        seen = functional.relu(self.first(X))
        seen = functional.relu(self.second(seen) + seen)
        return self.last(seen.view(len(X), -1) if self.view else seen.flatten(1))


class ChannelsFirst(nn.Module):
    def forward(self, X):
        return X.permute(0, 3, 1, 2)


CHAINS = {
    "as in LeNet": lambda: in_use(
        Conv(2, 4, 3), nn.ReLU(), Conv(4, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(128, 20), nn.ReLU(), nn.Linear(20, 5),
    ),
    "batch normalisation": lambda: in_use(
        Conv(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout2d(0.2),
        Conv(4, 4, 3, stride=2, groups=2), nn.BatchNorm2d(4), nn.AvgPool2d(2), nn.Flatten(),
    ),
    "chains in a chain": lambda: in_use(
        nn.Sequential(Conv(2, 4, 3), nn.ReLU()), nn.Sequential(nn.Identity(), Conv(4, 4, 3)),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    ),
    "layers that leave blocks": lambda: in_use(
        Conv(2, 4, 3), nn.Sigmoid(), Conv(4, 4, 3), nn.GELU(), nn.ReLU(), Conv(4, 4, 1),
        nn.BatchNorm2d(4, affine=False), nn.MaxPool2d(2), nn.Flatten(),
    ),
    "padding of other kinds": lambda: in_use(
        Conv(2, 4, 3, padding="same"), nn.ReLU(), Conv(4, 4, 3, padding=1, padding_mode="circular"),
        nn.ReLU(), Conv(4, 4, 3, padding="valid"), nn.MaxPool2d(2, dilation=2), Conv(4, 4, 1),
        nn.AvgPool2d(2, divisor_override=3), Conv(4, 4, 1), nn.MaxPool2d(2, ceil_mode=True),
        nn.Flatten(),
    ),
    "windows that reach over the edge": lambda: in_use(
        Conv(2, 4, 2), nn.ReLU(), nn.AvgPool2d(3, 2, padding=1, ceil_mode=True), Conv(4, 4, 2),
        nn.AvgPool2d(2, ceil_mode=True), Conv(4, 4, 1), nn.MaxPool2d(2, 3, 1, ceil_mode=True),
        nn.Flatten(),
    ),
    "inputs in another order": lambda: in_use(
        nn.Unflatten(3, (12, 1)), nn.Flatten(3), ChannelsFirst(), Conv(12, 3, (1, 3)), nn.ReLU(),
        nn.Flatten(),
    ),
    "a layer of its own between": lambda: in_use(
        Conv(2, 2, 3, padding=1), nn.ReLU(), Residual(), nn.Linear(5, 5)
    ),
}  # fmt: skip


def test_blocks_are_made_anew_in_other_processes():
    fast = laid_out(CHAINS["batch normalisation"]())
    X = torch.randn(5, 2, 12, 12)
    for again in (pickle.loads(pickle.dumps(fast)), deepcopy(fast)):
        assert type(again) is BlockedChain
        assert not again.training
        with torch.no_grad():
            assert torch.equal(again(X), fast(X))


def test_nan_spreads_as_in_the_net():
    """Layers on blocks take NaN for zero, or leave it out of a maximum."""
    chain, X = CHAINS["as in LeNet"](), torch.randn(5, 2, 12, 12)
    with torch.no_grad():
        X[2, 1, 5, 5] = torch.nan
        assert laid_out(chain)(X)[2].isnan().all()
        chain[0].bias[1] = torch.nan
        assert laid_out(chain)(torch.zeros(5, 2, 12, 12)).isnan().all()


def test_what_is_no_image_of_single_precision_gets_the_answer_of_the_net():
    chain, X = CHAINS["as in LeNet"](), torch.randn(2, 12, 12)
    fast = laid_out(nn.Sequential(*chain[:5]))
    with torch.no_grad():
        assert_allclose(fast(X), chain[:5](X), rtol=1e-5, atol=1e-5)  # one image without a batch
        with pytest.raises(RuntimeError, match=r"Input type .double. and bias type .float."):
            fast(X[None].double())


@pytest.mark.parametrize("name", CHAINS)
def test_outputs_of_chains(name):
    chain = CHAINS[name]()
    fast = laid_out(chain)
    assert type(fast) is BlockedChain
    X = torch.randn(30, 2, 12, 12)
    before = X.clone()
    with torch.inference_mode():
        outputs, expected = fast(X), chain(X)
    assert torch.equal(X, before)  # nothing is done in place to what is given
    assert outputs.layout == torch.strided
    assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_new_weights_are_seen():
    """The layout is made anew for every call of the smoother; an old one would be of no use."""
    chain = CHAINS["as in LeNet"]()
    X = torch.randn(5, 2, 12, 12)
    with torch.no_grad():
        chain[0].weight.mul_(2)
        assert_allclose(laid_out(chain)(X), chain(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("view", [False, True])
def test_outputs_of_other_nets(view):
    torch.manual_seed(0)
    net = Residual(view).eval()
    fast = laid_out(net)
    assert type(fast) is ChannelsLast
    X = torch.randn(30, 2, 12, 12)
    with torch.inference_mode():
        assert_allclose(fast(X), net(X), rtol=1e-5, atol=1e-5)
    assert fast._works == (not view)


class InPlace(Residual):
    """Changes its input before it asks for a view, which channels last do not have."""

    def __init__(self):
        super().__init__(view=True)
        self.first = Conv(1, 4, 3, padding=1)

    def forward(self, X):
        return super().forward(X.sub_(1).mul_(3))


class ReadsMemory(nn.Module):
    """Takes the channels apart by their place in memory."""

    def __init__(self):
        super().__init__()
        self.conv = Conv(1, 3, 3)

    def forward(self, X):
        return self.conv(X.as_strided((2 * len(X), 1, 12, 12), (144, 144, 12, 1))).mean((2, 3))


@pytest.mark.parametrize(("net", "channels"), [(InPlace, 1), (ReadsMemory, 2)])
def test_nets_that_are_not_given_channels_last(net, channels):
    torch.manual_seed(0)
    net, X = net().eval(), torch.randn(30, channels, 12, 12)
    fast = laid_out(net)
    assert type(fast) is ChannelsLast
    with torch.no_grad():
        fast(torch.zeros(2, channels, 12, 12))  # whose order in memory nobody can tell
        assert_allclose(fast(X.clone()), net(X.clone()), rtol=1e-5, atol=1e-5)
    assert not fast._works


def test_training_mode_is_left_to_the_net():
    chain = nn.Sequential(Conv(2, 4, 3), nn.Dropout(), nn.BatchNorm2d(4))
    assert laid_out(chain) is chain
    chain.eval()
    fast = laid_out(chain)
    assert not fast.training
    chain.train()
    assert all(layer.training for layer in fast)  # they are the layers of the user


def test_hooks_and_other_precisions_stay_outside_of_blocks():
    chain = CHAINS["as in LeNet"]()
    chain[2].register_forward_hook(lambda module, args, output: -output)
    chain[4].forward = lambda X: functional.max_pool2d(X, 2) + 1
    X = torch.randn(5, 2, 12, 12)
    with torch.inference_mode():
        assert_allclose(laid_out(chain)(X), chain(X), rtol=1e-5, atol=1e-5)
    double = CHAINS["as in LeNet"]().double()
    with torch.inference_mode():
        fast = laid_out(double)
        assert type(fast) is ChannelsLast
        assert_allclose(fast(X.double()), double(X.double()), rtol=1e-12)


def test_nets_without_convolutions_are_left_alone():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    assert laid_out(net) is net
