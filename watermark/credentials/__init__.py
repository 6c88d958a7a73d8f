"""Signed content credentials (C2PA 2.4): make them, read them, and say what each answer means."""

from vidigree.watermark.credentials.answers import StatusCodes
from vidigree.watermark.credentials.claims import ActionReading
from vidigree.watermark.credentials.foreign_labels import (
    AigcTag,
    ForeignLabels,
    read_foreign_labels,
)
from vidigree.watermark.credentials.identity import (
    SigningIdentity,
    identity_from_chain,
    init_identity,
    load_identity,
)
from vidigree.watermark.credentials.manifest import (
    SOFT_BINDING_ALGORITHM,
    Action,
    Disclosure,
    ManifestRequest,
    SoftBinding,
    mark_soft_binding,
)
from vidigree.watermark.credentials.reading import read_credentials
from vidigree.watermark.credentials.readings import (
    CredentialsReading,
    IngredientReading,
    SignerReading,
)
from vidigree.watermark.credentials.signer import Signer
from vidigree.watermark.credentials.signers import SignerSettings, open_signer
from vidigree.watermark.credentials.signers.callback import CallbackSigner
from vidigree.watermark.credentials.signing import check_parent, sign_file
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.credentials.trust import TrustList, TrustSettings

__all__ = [
    "SOFT_BINDING_ALGORITHM",
    "Action",
    "ActionReading",
    "AigcTag",
    "CallbackSigner",
    "CredentialsReading",
    "Disclosure",
    "ForeignLabels",
    "IngredientReading",
    "ManifestRequest",
    "Signer",
    "SignerReading",
    "SignerSettings",
    "SigningIdentity",
    "SoftBinding",
    "StatusCodes",
    "Timestamping",
    "TrustList",
    "TrustSettings",
    "check_parent",
    "identity_from_chain",
    "init_identity",
    "load_identity",
    "mark_soft_binding",
    "open_signer",
    "read_credentials",
    "read_foreign_labels",
    "sign_file",
]
