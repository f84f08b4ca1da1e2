"""Parameters that belong to `fit`: answers and certificates are about the model that they made."""

from numbers import Number


def fit_parameters(estimator, free):
    """Return the parameters of an estimator, without those that may be changed after `fit`.

    Of nested ones only numbers, texts, None and the like, which can be compared.
    """
    return {
        name: value
        for name, value in estimator.get_params(deep=True).items()
        if name not in free and ("__" not in name or _is_plain(value))
    }


def refuse_changed(estimator, fitted, free):
    """Refuse an estimator whose parameters are no more those of `fit`."""
    now = fit_parameters(estimator, free)
    changed = [name for name in fitted if name in now and not _same(fitted[name], now[name])]
    if changed:
        told = ", ".join(f"{name} was {fitted[name]!r} and is {now[name]!r}" for name in changed)
        raise ValueError(
            f"Parameters that belong to fit have been changed since: {told}. Answers and "
            f"certificates would be those of another model; call fit again, or set them back."
        )


def _is_plain(value):
    return value is None or isinstance(value, (Number, str, bytes))


def _same(before, now):
    if before is now:
        return True
    return _is_plain(before) and _is_plain(now) and bool(before == now)
