"""pizhu (批注): labels the sentences of Chinese government reports."""
