"""Classifiers of skorch that are trained for large certificates."""

from contextlib import contextmanager

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import PassthroughScoring
from skorch.dataset import unpack_data
from skorch.utils import to_tensor

from sksmooth.base_models._failures import explanation_of
from sksmooth.base_models._one_row import comparable_answers
from sksmooth.engine._seeds import seed_from
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets._direct import direct_classifier
from sksmooth.nets._failures import explained
from sksmooth.nets._noise import draw_like, perturb
from sksmooth.nets._randomness import OwnRandomness
from sksmooth.nets._skorch import (
    explanation_of_classifier,
    layers_of_net,
    probabilities_of_net,
    refuse_labels,
    refuse_labels_beyond,
)
from sksmooth.noise import make_noise
from sksmooth.training._methods import METHODS, make_method
from sksmooth.voters import voter_of
from sksmooth.voters._direct import directly


class RobustNetClassifier(NeuralNetClassifier):
    """Neural net, in skorch, that is trained to keep its answer under noise.

    Every batch gets fresh noise, and the loss of a published method. It is a
    :class:`skorch.classifier.NeuralNetClassifier` in everything else. As the base model of a
    :class:`sksmooth.SmoothedClassifier` it takes the noise from there, so that there is one `sigma`
    to choose, and is given X itself instead of noisy copies.

    Parameters
    ----------
    module : torch.nn.Module class or instance
        Net with one output (logit) per class.
    *args : tuple
        As in skorch.
    noise : str or Noise, default="gaussian"
        Distribution of the noise, as in :class:`sksmooth.SmoothedClassifier`. Noise that replaces
        values ("splitting") passes gradients straight through.
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X.
    method : str, default="gaussian"
        What is minimized; parameters of a method are given as ``method__name``:

        - "gaussian" [1]_: the class loss on noisy inputs (`n_noise` copies);
        - "stability" [2]_: the class loss on X, and `weight` times the cross-entropy between the
          answers to X and to noisy X;
        - "smoothadv" [3]_: the class loss on noisy copies of inputs that an attack on the
          smoothed net finds within `radius` (`attack` "pgd" or "ddn", `n_steps`, `n_noise`,
          `warmup_epochs`, `bounds` of a feature, and for "ddn" `gamma` and `init_norm`, by default
          the radius);
        - "consistency" [4]_: the class loss on noisy inputs, `weight` times the divergence of
          the answers from their mean, and `entropy_weight` times the entropy of the mean
          (`n_noise`);
        - "macer" [5]_: the class loss of the mean answer, and `weight` times what a soft certified
          radius lacks to `gamma` (`n_noise`, `beta`, `deferred_epochs` before the radius counts);
          for Gaussian noise;
        - "smoothmix" [6]_: the class loss on noisy inputs, and `weight` times the divergence from
          flattened answers on the way to adversarial inputs (`n_noise`, `n_steps`, `step`, by
          default twice sigma, `from_step`, `warmup_epochs`, `bounds`).

        The defaults come from published runs, which the classes in
        ``sksmooth/training/_methods.py`` name; they are of ninety epochs or more.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in training: weights, batches, dropout and noise. None: fresh
        entropy, whatever ``torch.manual_seed`` was given. The generators that torch and numpy share
        with other code are left as they were. Dropout can only draw from such a shared one, so
        nets that train in threads take turns at each batch. With a seed they are trained to the
        same weights in any thread, as long as no other code draws from torch's generator meanwhile.
    criterion : torch.nn.CrossEntropyLoss class, default=torch.nn.CrossEntropyLoss
        The class loss; it may have weights or smooth labels (``criterion__weight``).
    **kwargs : dict
        As in skorch: `max_epochs`, `lr`, `optimizer`, `device`, `callbacks`, ``module__...``

    Attributes
    ----------
    noise_ : Noise
        Distribution of the noise.
    method_ : object
        Method with its parameters.
    history : skorch.history.History
        With a column ``train_...`` for every part of the loss. Validation is under noise.

    Raises
    ------
    ValueError
        In `fit`, if the method, its parameters, the noise or the criterion cannot work.

    See Also
    --------
    sksmooth.SmoothedClassifier : Certifies it.

    References
    ----------
    .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness via
       randomized smoothing. ICML 2019.
    .. [2] Li, B., Chen, C., Wang, W. and Carin, L. (2019). Certified adversarial robustness with
       additive noise. NeurIPS 2019.
    .. [3] Salman, H. et al. (2019). Provably robust deep learning via adversarially trained
       smoothed classifiers. NeurIPS 2019.
    .. [4] Jeong, J. and Shin, J. (2020). Consistency regularization for certified robustness of
       smoothed classifiers. NeurIPS 2020.
    .. [5] Zhai, R. et al. (2020). MACER: attack-free and scalable robust training via maximizing
       certified radius. ICLR 2020.
    .. [6] Jeong, J. et al. (2021). SmoothMix: training confidence-calibrated smoothed classifiers
       for certified robustness. NeurIPS 2021.
    """

    prefixes_ = [*NeuralNetClassifier.prefixes_, "method"]  # noqa: RUF012 (as skorch has it)

    def __init__(
        self,
        module,
        *args,
        noise="gaussian",
        sigma=0.25,
        method="gaussian",
        random_state=None,
        criterion=torch.nn.CrossEntropyLoss,
        **kwargs,
    ):
        super().__init__(module, *args, criterion=criterion, **kwargs)
        self.noise = noise
        self.sigma = sigma
        self.method = method
        self.random_state = random_state

    def set_params(self, **params):
        """Set parameters; those of the method take effect without a new module."""
        own = {name: params.pop(name) for name in list(params) if name.startswith("method")}
        vars(self).update(own)
        self._params_to_validate |= set(own)
        return super().set_params(**params)

    def train_under(self, noise):
        """Take the noise of a smoother, which then does not augment.

        Parameters
        ----------
        noise : Noise
            Distribution that the net will be certified under.

        Returns
        -------
        self : RobustNetClassifier
        """
        return self.set_params(noise=clone(noise), sigma=noise.sigma)

    def initialize(self):
        """Initialize the parts of the net, and all that is random; see skorch."""
        seed = seed_from(self.random_state)
        self.randomness_ = OwnRandomness(seed, self.device)
        self.noise_rng_ = np.random.default_rng(seed)
        return super().initialize()

    def initialize_module(self):
        """Initialize the module; see skorch."""
        return self.randomness_.around(super().initialize_module)()

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go through the batches once; see skorch."""
        if iterator is not None:
            iterator = self.randomness_.each(iterator)
        step_fn = self.randomness_.around(step_fn)
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)

    def check_data(self, X, y=None):
        """Check X and y before any training; see skorch."""
        super().check_data(X, y)
        if isinstance(X, (np.ndarray, torch.Tensor)):
            read_inputs(X, owner=self)  # refuses NaN, with its row
        if y is not None:
            refuse_labels(y)

    def check_training_readiness(self):
        """Check parameters before any training; see skorch."""
        super().check_training_readiness()
        self.noise_ = make_noise(self.noise, sigma=self.sigma)
        self.method_ = make_method(self.method, self.get_params_for("method"))
        self.method_.check(self)
        criterion = getattr(self, "criterion_", None)
        if not isinstance(criterion, (torch.nn.CrossEntropyLoss, type(None))):
            raise ValueError(
                "RobustNetClassifier needs a module with one logit per class and "
                f"criterion=torch.nn.CrossEntropyLoss, got {type(criterion).__name__}."
            )

    def train_step_single(self, batch, **fit_params):
        """Compute the loss of the method on a batch, and its gradients.

        Override it, or `method_loss`, for a method of your own.

        Parameters
        ----------
        batch : tuple
            X and y of the data loader.
        **fit_params : dict
            Not used: methods call the module with noisy X alone.

        Returns
        -------
        step : dict
            `loss`, `y_pred` (logits, averaged over draws), and `parts` of the loss by name.
        """
        self._set_training(True)
        X, y = self._tensors(batch)
        parts, y_pred = self.method_loss(X, y)
        loss = sum(parts.values())
        loss.backward()
        return {"loss": loss, "y_pred": y_pred.detach(), "parts": parts}

    def method_loss(self, X, y):
        """Return the weighted parts of the loss on a batch, and the outputs for the labels.

        Parameters
        ----------
        X : torch.Tensor of shape (m, ...)
            Inputs without noise.
        y : torch.Tensor of shape (m,)
            Indices of the classes.

        Returns
        -------
        parts : dict of str to torch.Tensor
            Their sum is minimized; each is a column of the history.
        outputs : torch.Tensor of shape (m, n_classes)
            Logits.
        """
        return self.method_.parts(self, X, y)

    def infer(self, x, **fit_params):
        """Call the module; where it is known why it fails, the error says what to do."""
        if not isinstance(x, torch.Tensor):
            return super().infer(x, **fit_params)
        with explained(self.module_, x):
            return super().infer(x, **fit_params)

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        """Return the criterion of outputs and labels; see skorch."""
        refuse_labels_beyond(y_true, y_pred.shape[1])
        return super().get_loss(y_pred, y_true, *args, **kwargs)

    def validation_step(self, batch, **fit_params):
        """Loss on noisy inputs, as in training; see skorch."""
        X, y = self._tensors(batch)
        return super().validation_step((self.perturb(X, self.noises(X, 1)[0]), y), **fit_params)

    def on_batch_end(self, net, batch=None, training=False, parts=None, **kwargs):
        """Write the parts of the loss into the history."""
        super().on_batch_end(net, batch=batch, training=training, **kwargs)
        for name, value in parts.items() if parts and len(parts) > 1 else ():
            self.history.record_batch(f"train_{name}", value.item())

    @property
    def _default_callbacks(self):
        columns = sorted({name for method in METHODS.values() for name in method().columns})
        scores = [
            (f"train_{name}", PassthroughScoring(f"train_{name}", on_train=True))
            for name in columns
        ]
        *others, log = super()._default_callbacks
        return [*others, *scores, log]

    # what methods see of the net

    @property
    def epoch(self):
        """Number of the current epoch, from 1."""
        return max(1, len(self.history))

    def noises(self, X, n_noise):
        """Draw noise for every row of X.

        Parameters
        ----------
        X : torch.Tensor of shape (m, ...)
            Inputs.
        n_noise : int
            Number of draws for each.

        Returns
        -------
        draws : list of `n_noise` torch.Tensor of shape (m, ...)
        """
        return [draw_like(self.noise_, X, self.noise_rng_) for _ in range(n_noise)]

    def perturb(self, X, draws):
        """Perturb every row of X by a draw of its own; gradients pass through."""
        return perturb(self.noise_, X, draws)

    def logits(self, X, noises):
        """Return the outputs of the module under every draw, in one call.

        Parameters
        ----------
        X : torch.Tensor of shape (m, ...)
            Inputs.
        noises : list of torch.Tensor
            Of `noises`.

        Returns
        -------
        logits : torch.Tensor of shape (n_noise, m, n_classes)
        """
        noisy = torch.cat([self.perturb(X, draws) for draws in noises])
        return self.infer(noisy).unflatten(0, (len(noises), len(X)))

    def class_loss(self, logits, y):
        """Criterion of logits and labels."""
        return self.get_loss(logits, y, training=True)

    def uniform(self, n, X):
        """Uniform numbers in [0, 1), in the dtype and on the device of X."""
        numbers = self.noise_rng_.random(n)
        return torch.as_tensor(numbers, dtype=X.dtype, device=X.device)

    @contextmanager
    def searching(self):
        """Hold weights and statistics still while inputs are searched."""
        weights = [weight for weight in self.module_.parameters() if weight.requires_grad]
        self._set_training(False)
        for weight in weights:
            weight.requires_grad_(False)
        try:
            yield
        finally:
            for weight in weights:
                weight.requires_grad_(True)
            self._set_training(True)

    def _tensors(self, batch):
        X, y = unpack_data(batch)
        if not isinstance(X, torch.Tensor) or X.dtype not in (torch.float32, torch.float64):
            kind = X.dtype if isinstance(X, torch.Tensor) else type(X).__name__
            raise ValueError(
                "Noise is added to one array of float32 or float64 per batch, and this one is "
                f"{kind}. Pass X as such an array (images: X.astype('float32') / 255)."
            )
        if not X.sum().isfinite() and not X.isfinite().all():
            raise ValueError(
                "X contains NaN or infinity, in this batch at row "
                f"{int((~X.isfinite()).flatten(1).any(dim=1).nonzero()[0])}. Nothing can be "
                "learned from such a row: repair it, or leave it out."
            )
        return to_tensor(X, device=self.device), to_tensor(y, device=self.device)


directly.register(RobustNetClassifier, direct_classifier)
comparable_answers.register(RobustNetClassifier, probabilities_of_net)
explanation_of.register(RobustNetClassifier, explanation_of_classifier)
voter_of.register(RobustNetClassifier, layers_of_net)
